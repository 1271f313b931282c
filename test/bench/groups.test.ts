import { expect, test } from 'vitest'
import { groups } from '../../bench/groups/index.js'

test.each(['quick', 'usual', 'long'] as const)(
  'every group has %s cases, and no two share an id',
  (extent) => {
    const ids = groups.flatMap(({ name, cases }) => cases(extent).map((bench) => `${name}/${bench.name}`))
    expect(new Set(ids).size).toBe(ids.length)
    expect(new Set(ids.map((id) => id.split('/')[0]))).toEqual(new Set(groups.map(({ name }) => name)))
  },
)

test('the usual cases span what the figures depend on', () => {
  const valuesOf = (group: string, parameter: string): unknown[] => {
    const cases = groups.find(({ name }) => name === group)?.cases('usual') ?? []
    return [...new Set(cases.map(({ parameters }) => parameters[parameter]))]
  }
  expect(valuesOf('clients', 'clients')).toEqual([1, 8, 64, 256, 1024, 4096, 16_384])
  expect(valuesOf('clients', 'durability')).toEqual(['flush', 'none'])
  expect(valuesOf('sizes', 'size')).toEqual([16, 128, 1024, 16_384])
  expect(valuesOf('nodes', 'nodes')).toEqual([1, 3, 5, 7])
  expect(valuesOf('batch', 'batch')).toEqual([1, 16, 256])
  expect(valuesOf('open-loop', 'percent')).toEqual([100, 50, 80, 95])
})
