/** Reads a record that a test holds. */
import { type Recorded, readRecord } from '../../src/page/record.js'

/** `cutEvery`: so many bytes come at a time. */
export function readText(text: string | Uint8Array, cutEvery = 1 << 16): Promise<Recorded> {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += cutEvery)
        controller.enqueue(bytes.subarray(at, at + cutEvery))
      controller.close()
    },
  })
  return readRecord('run.jsonl', stream)
}
