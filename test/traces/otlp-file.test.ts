/** Traces in a file whose disk is full for a while. */
import { readFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { OtlpFile } from '../../src/traces/otlp-file.js'
import { Outbox } from '../../src/traces/outbox.js'
import { type Span, Trace } from '../../src/traces/span.js'
import { temporaryFolder } from '../cli/raftbox.js'
import { type Sent, spansIn } from './collector.js'

/** The second write to a file takes half of what it is given, as a disk does that becomes full. */
async function fillsDisk(file: string): Promise<void> {
  const handle = await open(file)
  const prototype: FileHandle = Object.getPrototypeOf(handle)
  await handle.close()
  const { writeFile } = prototype
  vi.spyOn(prototype, 'writeFile')
    .mockImplementationOnce(writeFile)
    .mockImplementationOnce(async function (this: FileHandle, data) {
      const bytes = data as Buffer
      await this.write(bytes.subarray(0, bytes.length / 2))
      throw new Error('ENOSPC: no space left on device, write')
    })
}

/** As many spans as leave in one batch. */
function batch(name: string): readonly Span[] {
  const trace = new Trace()
  const attributes = { 'raftbox.why': 'é' }
  for (let at = 0; at < 2048; at++) trace.add({ service: 'x', name, startMs: 1, endMs: 2, attributes })
  return trace.spans
}

test('a batch that does not fit leaves no part of a line, and is counted and told', async () => {
  const file = join(temporaryFolder(), 'traces.jsonl')
  const lines: string[] = []
  const outbox = new Outbox(await OtlpFile.open(file), (line) => void lines.push(line))
  await fillsDisk(file)
  for (const name of ['before', 'too much', 'after']) outbox.add(batch(name))
  await outbox.close(60_000)
  const batches = readFileSync(file, 'utf8').trimEnd().split('\n')
  const names = batches.map((line) => new Set(spansIn(JSON.parse(line) as Sent).map(({ name }) => name)))
  expect(names).toEqual([new Set(['before']), new Set(['after'])])
  expect([outbox.sent, outbox.dropped]).toEqual([2 * 2048, 2048])
  expect(lines).toEqual(['traces are dropped, and counted: ENOSPC: no space left on device, write'])
})
