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

/** A whole document. `policy` is its Content-Security-Policy: nothing may be fetched, whatever a page shows. */
export function htmlDocument({
  title,
  policy,
  style,
  body,
}: Readonly<Record<'title' | 'policy' | 'style' | 'body', string>>): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escaped(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
${body}
</body>
</html>
`
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
