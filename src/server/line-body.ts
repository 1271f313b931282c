/** The line in the body of a request, read as a line at the prompt is. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { BadInput, lineBytesMax, typedLine } from '../terminal/index.js'
import { HttpRefusal } from './refusals.js'

export async function lineIn(incoming: IncomingMessage): Promise<string> {
  checkIsText(incoming.headers)
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length
    // A byte more for the line break.
    if (length > lineBytesMax + 1)
      throw new BadInput(`line 1: the line has more than ${lineBytesMax} bytes; put less on a line`)
    chunks.push(chunk)
  }
  const [line = Buffer.of(), ...others] = linesOf(Buffer.concat(chunks))
  if (others.length > 0) throw new BadInput('the body has more than one line; give one line a request')
  return typedLine(line, 1)
}

/** Bytes of another form than is read here would be a line that nobody typed. */
function checkIsText(headers: IncomingHttpHeaders): void {
  const [type, ...parameters] = partsOf(headers['content-type'] ?? '', ';')
  if (type !== 'text/plain')
    throw new HttpRefusal('WRONG_TYPE', 'give the line as text: Content-Type: text/plain')
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length)
  const quotes = /^"(.*)"$/
  if (charset !== undefined && !['utf-8', 'utf8'].includes(charset.replace(quotes, '$1')))
    throw new HttpRefusal('WRONG_TYPE', `give the line as UTF-8, not as ${charset.replace(quotes, '$1')}`)
  const encodings = partsOf(headers['content-encoding'] ?? '', ',').filter((name) => name !== 'identity')
  if (encodings.length > 0)
    throw new HttpRefusal('WRONG_TYPE', `give the line as it is, not in Content-Encoding ${encodings}`)
}

function partsOf(value: string, separator: string): string[] {
  const parts = value.split(separator).map((part) => part.trim().toLowerCase())
  return parts.filter((part) => part !== '')
}

function linesOf(body: Buffer): Buffer[] {
  const end = body.indexOf('\n')
  if (end === -1) return [body]
  const rest = body.subarray(end + 1)
  return [body.subarray(0, end), ...(rest.length === 0 ? [] : [rest])]
}
