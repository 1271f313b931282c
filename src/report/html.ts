/** Pieces of HTML. Whatever comes from a record passes through `escaped`, or `jsonIn` inside of a script. */

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '')
}

/** JSON that can not end the element which it stands in. */
export function jsonIn(value: unknown): string {
  return JSON.stringify(value).replace(/</g, '\\u003c')
}

export interface Cell {
  readonly text: string
  /** Of the cell's element. */
  readonly className?: string
}

/** Rows begin with their heading; all texts are escaped here. */
export function htmlTable(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
): string {
  const headings = head.map((text) => `<th scope="col">${escaped(text)}</th>`).join('')
  const lines = rows.map(([first, ...rest]) => {
    const cells = rest.map(({ text, className }) => `<td${classOf(className)}>${escaped(text)}</td>`)
    return `<tr><th scope="row">${escaped(first?.text ?? '')}</th>${cells.join('')}</tr>`
  })
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escaped(caption)}"><table>
<caption>${escaped(caption)}</caption>
<thead><tr>${headings}</tr></thead>
<tbody>
${lines.join('\n')}
</tbody>
</table></div>`
}

function classOf(name: string | undefined): string {
  return name === undefined ? '' : ` class="${escaped(name)}"`
}
