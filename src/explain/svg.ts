/** Pieces of SVG text. Text from a story passes through `escaped`. */

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Characters that no XML document may hold, whatever their form. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones.
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu

export function escaped(text: string): string {
  return text.replace(forbidden, '\ufffd').replace(/[&<>"']/g, (character) => entities[character] ?? '')
}

type Attributes = Readonly<Record<string, string | number>>

/** An element. Text that is not SVG is to be escaped before. */
export function element(name: string, attributes: Attributes, ...content: readonly string[]): string {
  const all = Object.entries(attributes).map(([key, value]) => ` ${key}="${asText(value)}"`)
  const start = `<${name}${all.join('')}`
  return content.length === 0 ? `${start}/>` : `${start}>${content.join('')}</${name}>`
}

function asText(value: string | number): string {
  return typeof value === 'number' ? String(Math.round(value * 10) / 10) : escaped(value)
}

export function label(x: number, y: number, className: string, text: string): string {
  return element('text', { x, y, class: className }, escaped(text))
}

/** The width of a text of the picture, roughly: it is set in a font of the reader's. */
export function widthOf(text: string, size: number): number {
  return text.length * size * 0.56
}
