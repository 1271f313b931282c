/** The form of a verb that takes more words than its target: sliders for figures, boxes and lists for words. */
import { type Signal, useSignal } from '@preact/signals'
import type { VerbTold } from '../server/index.js'
import { CopyButton } from './copy-button.js'
import { type Field, fieldsOf, lineOf } from './verb-book.js'
import { placesMax, wordScales } from './word-scales.js'

interface VerbFormProps {
  readonly verb: VerbTold
  /** Empty: the verb takes none. */
  readonly target: string
  readonly forTime: Signal<string>
  readonly onRun: (line: string) => void
  readonly onBack: () => void
}

export function VerbForm({ verb, target, forTime, onRun, onBack }: VerbFormProps) {
  const fields = fieldsOf(verb, target !== '')
  const values = useSignal<Readonly<Record<string, string>>>(firstValues(fields))
  const line = lineOf(verb, target, values.value, forTime.value)
  const set = (as: string, word: string) => (values.value = { ...values.value, [as]: word })
  return (
    <form
      class="verb-form"
      onSubmit={(event) => {
        event.preventDefault()
        onRun(line)
      }}
    >
      <p>{verb.explanation}</p>
      {fields.map((field, at) => (
        <FieldInput
          key={field.as}
          field={field}
          value={values.value[field.as] ?? ''}
          isFirst={at === 0}
          onWord={(word) => set(field.as, word)}
        />
      ))}
      <footer class="preview">
        <code>{line}</code>
        <CopyButton text={line} />
        <button type="button" class="quiet" onClick={onBack}>
          back
        </button>
        <button type="submit" class="main">
          do it
        </button>
      </footer>
    </form>
  )
}

function firstValues(fields: readonly Field[]): Record<string, string> {
  return Object.fromEntries(
    fields
      .filter(({ isOptional }) => !isOptional)
      .map(({ as, kind }) => [as, wordScales[kind]?.first ?? (kind === 'clients' ? '64' : '')]),
  )
}

interface FieldInputProps {
  readonly field: Field
  readonly value: string
  readonly isFirst: boolean
  readonly onWord: (word: string) => void
}

function FieldInput({ field, value, isFirst, onWord }: FieldInputProps) {
  const { as, kind, words = [], before, isOptional } = field
  const label = before === '' ? labelOf(as) : before
  const begin = isFirst ? { 'data-begin': '' } : {}
  const [only] = words
  if (words.length === 1 && only !== undefined)
    return (
      <label class="field">
        <input
          type="checkbox"
          checked={value !== ''}
          onChange={({ currentTarget }) => onWord(currentTarget.checked ? only : '')}
          {...begin}
        />
        {only}
      </label>
    )
  if (words.length > 1)
    return (
      <label class="field">
        <span>{label}</span>
        <select value={value} onChange={({ currentTarget }) => onWord(currentTarget.value)} {...begin}>
          {isOptional ? <option value="">any</option> : null}
          {words.map((word) => (
            <option key={word}>{word}</option>
          ))}
        </select>
      </label>
    )
  const scale = wordScales[kind]
  return (
    <div class="field">
      <span>{label}</span>
      {scale === undefined ? null : (
        <input
          type="range"
          aria-label={`${label}, as a slider`}
          min={0}
          max={placesMax}
          value={scale.placeOf(value)}
          onInput={({ currentTarget }) => onWord(scale.wordAt(Number(currentTarget.value)))}
          aria-valuetext={value}
          {...begin}
        />
      )}
      <input
        type="text"
        aria-label={label}
        title={field.expected}
        placeholder={isOptional ? 'none' : field.expected}
        value={value}
        onInput={({ currentTarget }) => onWord(currentTarget.value)}
        {...(scale === undefined ? begin : {})}
      />
    </div>
  )
}

/** `flushMs` is `flush`: the unit stands in the value. */
function labelOf(as: string): string {
  return as.replace(/(?:Ms|PerSecond)$/, '').replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
