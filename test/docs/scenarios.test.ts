/** The guide to scenarios names what the parser knows. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseScenario } from '../../src/scenarios/index.js'

const guide = readFileSync('docs/scenarios.md', 'utf8')

test('the scenario in the guide is the file that ships', () => {
  expect(guide).toContain(readFileSync('src/scenarios/files/leader-kill.yaml', 'utf8'))
})

/** The forms that could stand there as a mistake says, in quotes. */
function couldStand(steps: string): string[] {
  const text = `name: a\nteaches: b\n${steps}`
  let told = ''
  try {
    parseScenario(text, 'a.yaml')
  } catch (error) {
    told = (error as Error).message.replace(/^.*? is not understood;/, '')
  }
  return Array.from(told.matchAll(/'([^']+)'/g), ([, form = '']) => form)
}

test.each([
  ['conditions', 'steps:\n  - until: the moon\n'],
  ['expectations', 'steps:\n  - for: 1s\nexpect:\n  - the moon\n'],
])('all %s are in the guide', (_, text) => {
  const forms = couldStand(text)
  expect(forms.length).toBeGreaterThan(8)
  for (const form of forms) expect(guide).toContain(`\`${form.split('|')[0]}`)
})

test('all steps are in the guide', () => {
  const keys = couldStand('steps:\n  - moon: 1\n').filter((word) => word.endsWith(':'))
  expect(keys).toHaveLength(6)
  for (const key of keys) expect(guide).toContain(`| \`${key} `)
})
