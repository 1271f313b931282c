/** The line in the body of a request, read as a line at the prompt is. */
import type { IncomingMessage } from 'node:http'
import { BadInput, lineBytesMax, typedLine } from '../terminal/index.js'
import { HttpRefusal } from './refusals.js'

export async function lineIn(incoming: IncomingMessage): Promise<string> {
  const type = incoming.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'text/plain')
    throw new HttpRefusal('WRONG_TYPE', 'give the line as text: Content-Type: text/plain')
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

function linesOf(body: Buffer): Buffer[] {
  const end = body.indexOf('\n')
  if (end === -1) return [body]
  const rest = body.subarray(end + 1)
  return [body.subarray(0, end), ...(rest.length === 0 ? [] : [rest])]
}
