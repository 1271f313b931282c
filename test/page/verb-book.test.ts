import { describe, expect, test } from 'vitest'
import { fieldsOf, groupsFor, isReady, isUseful, lineOf, wordFor } from '../../src/page/verb-book.js'
import { placesMax, wordScales } from '../../src/page/word-scales.js'
import { parse, verbsTold } from '../../src/verbs/index.js'
import { madeNode } from './made-frames.js'

const verbs = verbsTold()
const verb = (name: string) => verbs.find((each) => each.name === name)!
const node = { kind: 'node', nodeId: 2 } as const
const link = { kind: 'link', one: 3, other: 1 } as const
const namesIn = (of: Parameters<typeof groupsFor>[0]) =>
  groupsFor(of, verbs).flatMap((group) => group.verbs.map(({ name }) => name))

describe('the menu', () => {
  test('of a node has every verb of the registry that takes a target, once', () => {
    const expected = verbs
      .filter(({ slots }) => ['target', 'healed'].includes(slots[0]?.kind ?? ''))
      .map(({ name }) => name)
    expect(namesIn(node).sort()).toEqual(expected.sort())
    expect(namesIn(node)).toContain('kill')
  })

  test('of a link has those that take a link', () => {
    expect(namesIn(link)).toEqual(['cut', 'delay', 'drop', 'duplicate', 'reorder', 'throttle', 'heal'])
  })

  test('of the clients has the load', () => {
    expect(namesIn({ kind: 'clients' })).toEqual(['load'])
  })

  test.each([
    ['restart', 'stopped', true],
    ['restart', 'running', false],
    ['resume', 'paused', true],
    ['resume', 'running', false],
    ['kill', 'stopped', false],
    ['kill', 'paused', true],
    ['heal', 'stopped', true],
  ] as const)('%s at a node that is %s: useful is %s', (name, state, expected) => {
    expect(isUseful(name, madeNode(2, { state }), 1)).toBe(expected)
  })
})

describe('a line', () => {
  test('of a gesture is one that the prompt takes, for every verb of a menu', () => {
    for (const of of [node, link])
      for (const { verbs: group } of groupsFor(of, verbs))
        for (const each of group) {
          const values = Object.fromEntries(
            fieldsOf(each, true)
              .filter(({ isOptional }) => !isOptional)
              .map(({ as, kind }) => [as, wordScales[kind]?.first ?? '1']),
          )
          const line = lineOf(each, wordFor(of), values, '10s')
          expect(parse(line)?.verb, line).toBe(each.name)
        }
  })

  test('has its words in the order of the grammar, and the time last', () => {
    const values = { jitterMs: '20ms', delayMs: '80ms', messages: 'heartbeat' }
    expect(lineOf(verb('delay'), '1-3', values, '10s')).toBe('delay 1-3 80ms jitter 20ms heartbeat for 10s')
  })

  test('leaves out what is not given, and the time where the verb takes none', () => {
    expect(lineOf(verb('delay'), '1-3', { delayMs: '80ms', jitterMs: ' ' }, '')).toBe('delay 1-3 80ms')
    expect(lineOf(verb('restart'), '2', {}, '10s')).toBe('restart 2')
    expect(lineOf(verb('load'), '', { clients: '64' }, '')).toBe('load 64')
  })

  test('names a link in each direction', () => {
    expect([wordFor(link), wordFor(link, 'there'), wordFor(link, 'back')]).toEqual(['3-1', '3->1', '1->3'])
  })
})

test('a verb that needs no figure is done at once', () => {
  expect(
    ['kill', 'cut', 'full-disk', 'delay', 'skew', 'drop'].map((name) => isReady(verb(name), true)),
  ).toEqual([true, true, true, false, false, false])
})

describe('a slider', () => {
  test.each(Object.entries(wordScales))('of a %s writes words that it reads again', (_, scale) => {
    expect(scale.wordAt(scale.placeOf(scale.first))).toBe(scale.first)
    const steps = Array.from({ length: 11 }, (__, at) => (placesMax * at) / 10)
    for (const place of steps)
      expect(Math.abs(scale.placeOf(scale.wordAt(place)) - place), scale.wordAt(place)).toBeLessThan(12)
  })

  test('has round figures', () => {
    const { duration, share, rate, bytes, clock } = wordScales
    const ends = [duration, share, rate, bytes, clock].map((scale) => [
      scale!.wordAt(0),
      scale!.wordAt(placesMax),
    ])
    expect(ends).toEqual([
      ['1ms', '10s'],
      ['0%', '100%'],
      ['1kB/s', '100MB/s'],
      ['1kB', '1000MB'],
      ['-1000ms', '+1000ms'],
    ])
  })

  test('stands at its begin for a word that is none', () => {
    expect(wordScales['duration']!.placeOf('soon')).toBe(0)
  })
})
