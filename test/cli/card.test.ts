import { expect, test } from 'vitest'
import { run, start } from './raftbox.js'

test('the card has a row for each case, and ends with the number that matters', async () => {
  const { code, stdout, stderr, left } = await run(['card', '--seconds', '0.2'])
  expect([code, stderr, left]).toEqual([0, '', []])
  const lines = stdout.trimEnd().split('\n')
  const rows = lines.filter((line) => /^(durable|in memory) +[\d,]+ +[\d,]+/.test(line))
  expect(rows.map((row) => row.split(/ {2,}/).slice(0, 2))).toEqual([
    ...['1', '64', '1,024'].map((clients) => ['durable', clients]),
    ...['1', '64', '1,024'].map((clients) => ['in memory', clients]),
  ])
  expect(lines.at(-1)).toMatch(/^[\d,]+ durable commits a second, .* for 1024 clients\.$/)
  const durable = /^durable +1,024 +([\d,]+)/m.exec(stdout)?.[1]
  expect(lines.at(-1)?.startsWith(`${durable} `)).toBe(true)
  expect(stdout).toContain(process.version)
})

test.skipIf(process.platform === 'win32').each([
  ['SIGINT', 'while a cluster starts', 130, ['card'], /elections/],
  ['SIGINT', 'in a measurement', 130, ['bench', '--seconds', '60', '--progress'], /measure/],
  [
    'SIGTERM',
    'in a measurement',
    143,
    ['bench', '--seconds', '60', '--progress', '--threads', 'off'],
    /measure/,
  ],
] as const)(
  'after %s %s, everything is closed and removed, with exit code %d',
  async (signal, _, exitCode, args, sign) => {
    const { child, ended, said } = start(args)
    await said(sign)
    child.kill(signal)
    // Twice, as from a terminal and from npm at once.
    child.kill(signal)
    const { code, stderr, left } = await ended
    expect([code, left]).toEqual([exitCode, []])
    expect(stderr).not.toMatch(/ at |rror/)
  },
)
