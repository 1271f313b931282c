/** The command bar: a line, as at the prompt, and the answers to the last ones. */
import { useSignal } from '@preact/signals'
import { act, done } from './actions.js'

export function CommandBar() {
  const line = useSignal('')
  const last = done.value.at(-1)
  const submit = (event: Event) => {
    event.preventDefault()
    if (line.value.trim() === '') return
    void act(line.value)
    line.value = ''
  }
  return (
    <form class="command-bar" onSubmit={submit}>
      <input
        aria-label="a line, as at the prompt"
        value={line}
        onInput={(event) => (line.value = event.currentTarget.value)}
      />
      <output>{last?.answer?.ok === false ? last.answer.message : last?.answer?.words}</output>
    </form>
  )
}
