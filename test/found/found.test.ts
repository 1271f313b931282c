/**
 * Failures that were found once: `raftbox sim --seed S --shrink test/found/NAME.jsonl` adds one, and the
 * list below its steps. The program must keep its promises in each of them.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FailureReader, rerun } from '../../src/shrink/index.js'

const folder = join('test', 'found')
const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'))

/** The steps of each file that the program takes: a step which it can take no more tells that the file has lost its meaning. */
const stepsTaken: Readonly<Record<string, number>> = {
  'acknowledged-before-flush.jsonl': 4,
  'figure-8.jsonl': 10,
  'own-copy-before-flush.jsonl': 5,
  'vote-for-two.jsonl': 3,
}

test.each(files)('%s does not fail again', (file) => {
  const reader = new FailureReader()
  for (const line of readFileSync(join(folder, file), 'utf8').trimEnd().split('\n')) reader.take(line)
  const { failure } = reader
  const { broken, told } = rerun(failure)
  expect(broken).toBeUndefined()
  if (failure.type === 'list') expect(told.length).toBe(stepsTaken[file])
})
