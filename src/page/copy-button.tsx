/** A button that copies a line. */
import { useSignal } from '@preact/signals'

export function CopyButton({ text }: { text: string }) {
  const copied = useSignal(false)
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    copied.value = true
    setTimeout(() => (copied.value = false), 1200)
  }
  return (
    <button type="button" class="quiet copy" onClick={() => void copy()} aria-label={`copy ${text}`}>
      {copied.value ? 'copied' : 'copy'}
    </button>
  )
}
