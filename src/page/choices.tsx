/** Buttons in a row, which tell the one that is chosen. */
export interface Choice {
  readonly words: string
  readonly title?: string
  readonly isChosen: boolean
  choose(): void
}

export function Choices({ choices }: { choices: readonly Choice[] }) {
  return (
    <>
      {choices.map(({ words, title, isChosen, choose }) => (
        <button key={words} type="button" aria-pressed={isChosen} onClick={choose} title={title}>
          {words}
        </button>
      ))}
    </>
  )
}
