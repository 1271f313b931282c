/**
 * Failures that were found once: `raftbox sim --seed S --shrink test/found/NAME.jsonl` adds one. The program must keep its
 * promises in each of them.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FailureReader, rerun } from '../../src/shrink/index.js'

const folder = join('test', 'found')
const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'))

test.each(files)('%s does not fail again', (file) => {
  const reader = new FailureReader()
  for (const line of readFileSync(join(folder, file), 'utf8').trimEnd().split('\n')) reader.take(line)
  const { failure } = reader
  const { broken, told } = rerun(failure)
  expect(broken).toBeUndefined()
  // The mended program may not send a message any more that a late step takes. A file of which little is left means nothing.
  if (failure.type !== 'world') expect(told.length).toBeGreaterThan(failure.acts.length / 2)
})
