import { expect, test } from 'vitest'
import { BadFailure, type Failure, FailureReader, isFailure, linesOf, rerun } from '../../src/shrink/index.js'
import { planOf } from '../../src/sim/index.js'

const found = { rule: 'commit rule', detail: 'leader 1 of term 3 counted entry 2@2' }
const list: Failure = {
  type: 'list',
  seed: 8,
  found,
  size: { voters: 3, appendBytesMax: 1 },
  acts: [
    { id: 1, node: 3, deed: { type: 'timeOut' }, isHeld: false },
    { id: 2, node: 2, deed: { type: 'take', of: 1, kind: 'requestVote', nth: 0 }, isHeld: true },
    { id: 3, node: 2, deed: { type: 'flush' }, isHeld: false },
    { id: 4, node: 3, deed: { type: 'take', of: 3, kind: 'requestVoteResponse', nth: 0 }, isHeld: false },
    { id: 5, node: 3, deed: { type: 'change', changes: [{ type: 'demote', nodeId: 1 }] }, isHeld: false },
    { id: 6, node: 3, deed: { type: 'transfer', to: 2 }, isHeld: false },
    { id: 7, node: 1, deed: { type: 'take', of: 9, kind: 'requestVote', nth: 0 }, isHeld: false },
    { id: 8, node: 1, deed: { type: 'propose' }, isHeld: false },
    { id: 9, node: 3, deed: { type: 'crash' }, isHeld: false },
  ],
}
const world: Failure = { type: 'world', seed: 6, found, change: { nodes: 3, faults: ['cuts'], stormMs: 50 } }

function read(lines: readonly string[]): Failure {
  const reader = new FailureReader()
  for (const line of lines) reader.take(line)
  return reader.failure
}

test.each([list, world])('a failure of a $type is read as it was written', (failure) => {
  const lines = linesOf(failure, [])
  expect(isFailure(lines[0] ?? '')).toBe(true)
  expect(read(lines)).toEqual(failure)
})

test('a list that a search has found has no seed', () => {
  const failure: Failure = { ...list, seed: undefined }
  expect(read(linesOf(failure, []))).toEqual(failure)
})

test('an act whose message nobody sent, or whose node does not lead, is skipped', () => {
  const { broken, told, skipped } = rerun(list)
  expect([broken, told.length, skipped]).toEqual([undefined, 7, 2])
  expect(told[4]).toBe('node 3 is asked to demote node 1')
})

test('a world runs again, and keeps its promises on a sound program', () => {
  expect(rerun(world)).toEqual({ broken: undefined, told: [], skipped: 0 })
})

const head = linesOf(list, [])[0] ?? ''
const headOf = (change: object): string =>
  JSON.stringify({ failure: 'raftbox', version: 1, seed: 6, found, world: change })
test.each([
  [['{"failure":"raftbox","version":2}'], 'version 2'],
  [['{"failure":"raftbox","version":1,"seed":-1}'], 'its seed is no whole number'],
  [['{"failure":"raftbox","version":1,"seed":1}'], 'the rule that was found broken'],
  [[JSON.stringify({ failure: 'raftbox', version: 1, seed: 1, found })], 'neither a list nor a world'],
  [[headOf({ faults: 5 })], "its world's faults is no part"],
  [[headOf({ faults: ['rain'] })], "its world's faults is no part"],
  [[headOf({ nodes: 1e9 })], "its world's nodes is no part"],
  [[headOf({ nodes: '3' })], "its world's nodes is no part"],
  [[headOf({ stormMs: 1e9 })], "its world's stormMs is no part"],
  [[headOf({ stormMs: -1 })], "its world's stormMs is no part"],
  [[headOf({ load: { clients: 1 } })], "its world's load is no part"],
  [[headOf({ load: { ...planOf(6).load, clients: 99 } })], "its world's load is no part"],
  [[headOf({ rain: 1 })], "its world's rain is no part"],
  [[headOf({ toString: 1 })], "its world's toString is no part"],
  [[head, '{'], 'it is not JSON'],
  [[head, '[]'], 'it is not an object'],
  [[head, '{"act":1,"node":99,"does":"flush"}'], 'its node is no whole number from 1 to 64'],
  [[head, '{"act":1,"node":1,"does":"sleep"}'], 'unknown kind "sleep"'],
  [[head, '{"act":1,"node":1,"does":"take","of":1,"kind":"requestVotes"}'], 'unknown kind "requestVotes"'],
  [[head, '{"act":1,"node":1,"does":"take","of":0}'], 'its of is no whole number'],
  [
    [head, '{"act":1,"node":1,"does":"change","changes":[{"type":"add","nodeId":1}]}'],
    'unknown change "add"',
  ],
  [[...linesOf(world, []), '{}'], 'a failure of a world has one line'],
  [[], 'it is empty'],
])('%j is no failure', (lines, words) => {
  expect(() => read(lines)).toThrow(BadFailure)
  expect(() => read(lines)).toThrow(words)
})

test.each<[unknown, string]>([
  [[], 'its commands are no list of at least one'],
  [undefined, 'its commands are no list of at least one'],
  [['????'], 'a command is no text of base64'],
  [['AA=='.slice(1)], 'a command is no text of base64'],
  [[7], 'a command is no text of base64'],
])('a client cannot ask with the commands %j', (commands, words) => {
  const whole = { voters: 1, neverLeading: [], limits: {}, resultBytesMax: 1, tickMs: 1, clockDrift: 0 }
  const lines = [
    { failure: 'raftbox', version: 1, seed: 1, found, whole: { ...whole, reads: 'lease' } },
    { act: 1, node: 1, does: 'ask', what: 'propose', commands },
  ]
  expect(() => read(lines.map((line) => JSON.stringify(line)))).toThrow(words)
  const asked = { ...lines[1], commands: ['AAAA'] }
  expect(read([lines[0], asked].map((line) => JSON.stringify(line)))).toMatchObject({ acts: [{ id: 1 }] })
})

test.each(['', '{', 'null', '{"recording":"raftbox","version":1}'])('%j begins no failure', (line) => {
  expect(isFailure(line)).toBe(false)
})
