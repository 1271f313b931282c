import { expect, test } from 'vitest'
import { brokenRules, rulesOf } from './rules.js'
import { readTree } from './source-tree.js'

const specs = readTree('src', /SPEC\.md$/)

/** The tests of the house cite made-up rules, to try this very check. The conformance suite is a test in `src`. */
const tests = new Map(
  [...readTree('test'), ...readTree('src/testing')].filter(([path]) => !path.startsWith('test/house/')),
)

test('protocol, machine, both stores, driver, membership and cluster have numbered rules', () => {
  const rooms = [...specs].filter(([, spec]) => rulesOf(spec).length > 0).map(([path]) => path)
  expect(rooms).toEqual(
    ['cluster', 'driver', 'machine', 'membership', 'mvcc', 'raft', 'storage'].map(
      (room) => `src/${room}/SPEC.md`,
    ),
  )
})

test('every rule is cited by a test, and every citation is a rule', () => {
  expect(brokenRules([...specs.values()].join('\n'), tests)).toEqual([])
})

const spec = '# Rules\n- [EL1] One vote a term. See [EL2].\n- [EL2] A leader steps down.\nText on [EL9].\n'

test.each([
  ['two titles', "test('[EL1] one vote a term', f)\ntest.each([\n  [1],\n])('[EL2] term %d', f)"],
  ['one title with both', "describe(\n  '[EL1][EL2] both', f)"],
  ['a table of titles', "test.each([{ title: '[EL1] one' }, { title: `[EL2] two` }])('$title', f)"],
])('citations are read from %s', (_, text) => {
  expect(brokenRules(spec, new Map([['test/raft/a.test.ts', text]]))).toEqual([])
})

test('an uncited rule, an unknown citation and a number used twice are found', () => {
  const text = "test('[EL1] one', () => {\n  // '[EL2] in a comment'\n})\ntest('[XX7] what', f)"
  expect(brokenRules(`${spec}- [EL1] Again.\n`, new Map([['test/raft/a.test.ts', text]]))).toEqual([
    '[EL1] is numbered twice',
    '[EL2] is cited by no test',
    '[XX7] is cited in test/raft/a.test.ts and is no rule',
  ])
})
