/** Parts that the forms of panels share: a field, and the line that a form stands for, with its button. */
import type { Signal } from '@preact/signals'
import { act } from './actions.js'
import { CopyButton } from './copy-button.js'
import type { FormLine } from './form-lines.js'

interface FieldProps {
  readonly label: string
  readonly value: Signal<string>
  readonly placeholder?: string
}

export function TextField({ label, value, placeholder = '' }: FieldProps) {
  return (
    <label>
      <span>{label}</span>
      <input
        type="text"
        autocomplete="off"
        spellcheck={false}
        placeholder={placeholder}
        value={value.value}
        onInput={({ currentTarget }) => (value.value = currentTarget.value)}
      />
    </label>
  )
}

/** A button that carries out a line. The line is its title; the command bar shows it with its answer. */
export function LineButton({ told, words, isMain = false }: LineButtonProps) {
  const { line } = told
  return (
    <button
      type="button"
      class={isMain ? 'main' : ''}
      disabled={line === undefined}
      title={line ?? told.why}
      onClick={() => {
        if (line !== undefined) void act(line)
      }}
    >
      {words}
    </button>
  )
}

interface LineButtonProps {
  readonly told: FormLine
  readonly words: string
  readonly isMain?: boolean
}

/** The line, to be copied, or what keeps a form from being one. */
export function LinePreview({ told }: { told: FormLine }) {
  if (told.line === undefined) return <p class="line-preview soft">{told.why}</p>
  return (
    <p class="line-preview">
      <code>{told.line}</code>
      <CopyButton text={told.line} />
    </p>
  )
}
