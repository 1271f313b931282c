/** A running hash over everything that happens in a run: equal fingerprints, equal runs. */
import { crc32 } from 'node:zlib'
import { entriesIn, type Message, wholeRuns } from '../raft/index.js'

export class Fingerprint {
  #low = 0x811c9dc5
  #high = 0x9e3779b9

  add(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193)
    this.#high = Math.imul(this.#high ^ (this.#low >>> 15) ^ value, 0x85ebca6b)
  }

  addBytes(bytes: Uint8Array): void {
    this.add(bytes.byteLength)
    this.add(crc32(bytes))
  }

  addText(text: string): void {
    this.add(text.length)
    for (let at = 0; at < text.length; at++) this.add(text.charCodeAt(at))
  }

  /** Every field of a message, in the order in which it was made, and all of its bytes. */
  addMessage(message: Message): void {
    for (const value of Object.values(message) as unknown[]) {
      if (typeof value === 'number') this.add(value)
      else if (typeof value === 'boolean') this.add(value ? 1 : 2)
      else if (typeof value === 'string') this.addText(value)
      else if (value instanceof Uint8Array) this.addBytes(value)
      else if (value === undefined) this.add(3)
      // The runs of an AppendEntries follow below.
      else if (!Array.isArray(value)) this.addText(JSON.stringify(value))
    }
    if (message.type === 'appendEntries')
      for (const { bytes } of wholeRuns(entriesIn(message))) this.addBytes(bytes)
  }

  /** Half of it. */
  get value(): number {
    return this.#low
  }

  get hex(): string {
    return [this.#high, this.#low].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('')
  }
}
