import { describe, expect, test } from 'vitest'
import { keyVerbs, stepTo, verbOfKey } from '../../src/page/keys.js'
import { Typed } from '../../src/page/line-history.js'
import { placeOfTerm, termColours } from '../../src/page/palette.js'
import { verbsTold } from '../../src/verbs/index.js'

const node = (nodeId: number) => ({ kind: 'node', nodeId }) as const
const link = (one: number, other: number) => ({ kind: 'link', one, other }) as const
const ids = [1, 2, 3]

describe('arrows', () => {
  test('walk around the ring, the clients included', () => {
    expect(stepTo('ArrowRight', undefined, ids)).toEqual(node(1))
    expect(stepTo('ArrowRight', node(1), ids)).toEqual(node(2))
    expect(stepTo('ArrowRight', node(3), ids)).toEqual({ kind: 'clients' })
    expect(stepTo('ArrowRight', { kind: 'clients' }, ids)).toEqual(node(1))
    expect(stepTo('ArrowLeft', node(1), ids)).toEqual({ kind: 'clients' })
  })

  test('walk through the links of a node, and from a link on to the next node', () => {
    expect(stepTo('ArrowDown', node(2), ids)).toEqual(link(2, 1))
    expect(stepTo('ArrowDown', link(2, 1), ids)).toEqual(link(2, 3))
    expect(stepTo('ArrowDown', link(2, 3), ids)).toEqual(link(2, 1))
    expect(stepTo('ArrowUp', node(2), ids)).toEqual(link(2, 3))
    expect(stepTo('ArrowRight', link(2, 3), ids)).toEqual(node(3))
  })

  test('go to the ends by Home and End', () => {
    expect(stepTo('Home', node(2), ids)).toEqual(node(1))
    expect(stepTo('End', undefined, ids)).toEqual(node(3))
  })

  test('lead nowhere where there is no node, and no other key is an arrow', () => {
    expect(stepTo('ArrowRight', undefined, [])).toBeUndefined()
    expect(stepTo('k', node(1), ids)).toBeUndefined()
    expect(stepTo('ArrowDown', node(1), [1])).toEqual(node(1))
  })
})

describe('letters', () => {
  test('mean one verb each on a node and on a link, and one that there is', () => {
    const keys = keyVerbs.map(({ key, on }) => `${key} ${on}`)
    expect(new Set(keys).size).toBe(keys.length)
    const names = verbsTold().map(({ name }) => name)
    expect(keyVerbs.filter(({ verb }) => !names.includes(verb))).toEqual([])
  })

  test('let a paused node go on by the letter that paused it', () => {
    expect(verbOfKey('p', node(1), false)).toBe('pause')
    expect(verbOfKey('p', node(1), true)).toBe('resume')
  })

  test('of a node mean nothing on a link, or on nothing', () => {
    expect(verbOfKey('k', link(1, 2), false)).toBeUndefined()
    expect(verbOfKey('k', undefined, false)).toBeUndefined()
    expect(verbOfKey('c', link(1, 2), false)).toBe('cut')
  })
})

test('lines that were typed come back, and the draft behind them', () => {
  const typed = new Typed()
  typed.add('kill 1')
  typed.add('restart 1')
  typed.add('restart 1')
  expect([typed.before('he'), typed.before(''), typed.before('')]).toEqual(['restart 1', 'kill 1', 'kill 1'])
  expect([typed.after(), typed.after(), typed.after()]).toEqual(['restart 1', 'he', 'he'])
})

describe('colours of terms', () => {
  const luminance = (colour: string) => {
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
      const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const contrast = (one: string, other: string) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number]
    return (light + 0.05) / (dark + 0.05)
  }

  test.each(termColours)('$light and $dark can be read on their papers', ({ light, dark }) => {
    expect(contrast(light, '#ffffff')).toBeGreaterThan(4.5)
    expect(contrast(dark, '#1b1f24')).toBeGreaterThan(4.5)
  })

  test('differ from term to term', () => {
    expect(new Set(Array.from({ length: 8 }, (_, term) => placeOfTerm(term))).size).toBe(8)
    expect(placeOfTerm(9)).toBe(placeOfTerm(1))
  })
})
