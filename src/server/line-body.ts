/** The line in the body of a request, bounded as a line at the prompt is. */
import type { IncomingMessage } from 'node:http'
import { BadInput } from '../terminal/index.js'
import { HttpRefusal } from './refusals.js'

export async function lineIn(incoming: IncomingMessage, bytesMax: number): Promise<string> {
  const type = incoming.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'text/plain')
    throw new HttpRefusal('WRONG_TYPE', 'give the line as text: Content-Type: text/plain')
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > bytesMax)
      throw new HttpRefusal('TOO_LARGE', `the line has more than ${bytesMax} bytes; put less on a line`)
    chunks.push(chunk)
  }
  const line = textOf(Buffer.concat(chunks)).replace(/\r?\n$/, '')
  if (/[\r\n]/.test(line)) throw new BadInput('the body has more than one line; give one line a request')
  return line
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new BadInput('the line is not UTF-8; give the line in UTF-8')
  }
}
