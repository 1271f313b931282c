/** A machine that knows puts and ranges of single keys, in etcd's encoding: until the store is there. */
import type { CommandRun, ResultWriter, StateMachine } from '../../src/machine/index.js'
import { commandOps, queryOps, writeAnswerHead } from '../../src/mvcc/index.js'
import { type Frame, forEachCommand } from '../../src/raft/index.js'

/** The fields of bytes of a message, by their numbers. */
function fieldsOf(bytes: Uint8Array): Map<number, Uint8Array> {
  const fields = new Map<number, Uint8Array>()
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at++] ?? 0
    let [length, shift] = [0, 0]
    for (;;) {
      const byte = bytes[at++] ?? 0
      length += (byte & 0x7f) * 2 ** shift
      shift += 7
      if (byte < 0x80) break
    }
    if ((tag & 7) !== 2) continue
    fields.set(tag >> 3, bytes.slice(at, at + length))
    at += length
  }
  return fields
}

function field(number: number, bytes: Uint8Array): Buffer {
  const length: number[] = []
  let left = bytes.length
  for (; left >= 0x80; left >>= 7) length.push((left & 0x7f) | 0x80)
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length, left]), bytes])
}

class Stub implements StateMachine {
  readonly #values = new Map<string, Uint8Array>()
  #revision = 1

  apply(run: CommandRun, results: ResultWriter | undefined): void {
    forEachCommand(run, (start, end) => {
      const command = run.bytes.subarray(start, end)
      if (command[0] === commandOps.put) {
        const fields = fieldsOf(command.subarray(1))
        this.#values.set(
          Buffer.from(fields.get(1) ?? []).toString('latin1'),
          fields.get(2) ?? new Uint8Array(0),
        )
        this.#revision++
      }
      if (results !== undefined)
        writeAnswerHead(results, command[0] === commandOps.put ? 'ok' : 'leaseNotFound', this.#revision, 0)
    })
  }

  read(queries: Frame, results: ResultWriter): void {
    forEachCommand(queries, (start, end) => {
      const query = queries.bytes.subarray(start, end)
      let body: Uint8Array = new Uint8Array(0)
      if (query[0] === queryOps.range) {
        const key = fieldsOf(query.subarray(1)).get(1) ?? new Uint8Array(0)
        const value = this.#values.get(Buffer.from(key).toString('latin1'))
        if (value !== undefined)
          body = Buffer.concat([
            field(2, Buffer.concat([field(1, key), field(5, value)])),
            Buffer.from([0x20, 1]),
          ])
      }
      const at = writeAnswerHead(results, 'ok', this.#revision, body.length)
      results.bytes.set(body, at)
    })
  }

  *snapshot(): Iterator<Uint8Array> {
    yield Buffer.from(JSON.stringify([...this.#values.keys()]))
  }

  restore(): void {
    this.#values.clear()
  }

  hash(): string {
    return `${this.#revision}`
  }
}

export default (): StateMachine => new Stub()
