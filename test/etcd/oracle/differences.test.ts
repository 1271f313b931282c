import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { differences } from './differences.js'

test('the comparer knows the differences that docs/etcd.md names, and no others', () => {
  const page = readFileSync(new URL('../../../../docs/etcd.md', import.meta.url), 'utf8')
  const [, table = ''] = page.split('\n## Differences\n')
  const rows = table
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1)
  expect(rows.map((row) => row.split(' | ')[0]?.slice(2))).toEqual(differences.map(({ name }) => name))
})
