import { readdirSync, truncateSync } from 'node:fs'
import { dirname } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { run, temporaryFile } from '../cli/raftbox.js'
import { figureOf, recordOf, resultOf, wholeRecord } from './bench-records.js'

test('the names in a record, and its path, never command the terminal', async () => {
  const recordWith = (value: number) =>
    recordOf(
      [
        resultOf('clients/\x1b[2J', {
          figures: [figureOf('p99\x9bms', 'ms\u202e', 'lower', value, value, value)],
        }),
      ],
      { machine: { ...wholeRecord.machine, cpuModel: `\x1b]0;${value}\x07` } },
    )
  const old = temporaryFile('old.json', JSON.stringify(recordWith(10)))
  const file = temporaryFile('a\x1bb.json', JSON.stringify(recordWith(90)))
  const { code, stdout } = await run(['report', file, '--compare', old])
  expect(code).toBe(0)
  for (const words of [
    'clients/\\u001b[2J',
    'p99\\u009bms',
    '\\u202e',
    '\\u001b]0;90\\u0007',
    '/a\\u001bb.html\n',
  ])
    expect(stdout).toContain(words)
  expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Bidi_Control}\p{Cc}]/u)
})

test('a packed record is unpacked', async () => {
  const file = temporaryFile('mine.json.gz', gzipSync(JSON.stringify(wholeRecord)))
  expect(await run(['report', file])).toMatchObject({ code: 0, stderr: '' })
  expect(readdirSync(dirname(file)).sort()).toEqual(['mine.html', 'mine.json.gz', 'mine.md'])
})

test('a record that is not UTF-8, and one without end, are refused in one line', async () => {
  const odd = temporaryFile(
    'odd.json',
    Buffer.from(JSON.stringify(wholeRecord).replace('Example', 'Ex\xe4mple'), 'latin1'),
  )
  const notText = await run(['report', odd])
  expect(notText).toMatchObject({ code: 2, stdout: '' })
  expect(notText.stderr).toMatch(/^raftbox: [^\n]*odd\.json is not UTF-8; [^\n]*\n$/)
  const long = temporaryFile('long.json', '')
  truncateSync(long, (64 << 20) + 1)
  const endless = await run(['report', long])
  expect(endless).toMatchObject({ code: 2, stdout: '' })
  expect(endless.stderr).toMatch(/^raftbox: [^\n]*long\.json has more than 67108864 bytes; [^\n]*\n$/)
})
