/** `raftbox check`: verdicts by exit code, in words, as JSON and as a page; and files that are no history. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { run, temporaryFile, temporaryFolder } from './raftbox.js'

const lines = (...operations: readonly object[]): string =>
  operations.map((operation) => `${JSON.stringify(operation)}\n`).join('')

const put = (client: number, value: string, call: number): object => ({
  ...{ client, op: 'put', key: 'k', value, call, return: call + 1, outcome: 'ok' },
})
const get = (result: string | null, call: number): object => ({
  ...{ client: 7, op: 'get', key: 'k', result, call, return: call + 1, outcome: 'ok' },
})

const right = lines(put(0, 'a', 1), put(1, 'b', 3), get('b', 5))
const stale = lines(put(0, 'a', 1), put(1, 'b', 3), get('a', 5), { ...put(2, '<c>', 4), outcome: 'unknown' })
/** Appends of unknown outcome in any order, of which no subset explains the read. */
const hard = lines(
  ...Array.from({ length: 30 }, (_, at) => ({ ...put(at, `${at}`, 1), op: 'append', outcome: 'unknown' })),
  get('?', 3),
)

const last = (stdout: string): unknown => JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')

describe('the verdict', () => {
  test('of a linearizable history is told, with exit code 0', async () => {
    const { code, stdout, stderr } = await run(['check', temporaryFile('h.jsonl', right)])
    expect([code, stdout, stderr]).toEqual([0, 'linearizable: 3 operations on 1 key\n', ''])
  })

  test('of another one is explained by the operations that contradict each other, with exit code 1', async () => {
    const { code, stdout, stderr } = await run(['check', temporaryFile('h.jsonl', stale)])
    expect([code, stderr]).toEqual([1, ''])
    expect(stdout).toBe(`not linearizable: 4 operations on 1 key, and 1 of 1 key has no order

"k": 3 operations contradict each other, whatever became of the other writes
  put "k" "a"    client 0  1 to 2
  put "k" "b"    client 1  3 to 4
  get "k" → "a"  client 7  5 to 6
  An order goes as far as: put "k" "a", put "k" "b". The key holds "b" then.
  get "k" → "a" does not fit there. It would fit right behind
    put "k" "a" of client 0, called at 1, but it has its place earlier already, and happens once.
`)
  })

  test('of a single operation that has no place says so of that operation', async () => {
    const { stdout } = await run(['check', temporaryFile('h.jsonl', lines(get('a', 1)))])
    expect(stdout).toContain('The operation cannot be the first. The key holds nothing then.\n')
  })

  test('of one that is too hard is unknown, with exit code 2', async () => {
    const file = temporaryFile('h.jsonl', hard)
    const { code, stdout } = await run(['check', file, '--seconds', '0.1'])
    expect([code, stdout]).toEqual([
      2,
      'unknown: 31 operations on 1 key, and 1 of 1 key has no answer\n"k", 31 operations, is not decided: the time was up; give more with --seconds\n',
    ])
  })

  test.each([
    [0, 'linearizable', right],
    [1, 'not-linearizable', stale],
    [2, 'unknown', hard],
  ])('is in the last line of --json with exit code %i', async (code, verdict, history) => {
    const ended = await run(['check', '-', '--json', '--seconds', '0.5'], history)
    expect(ended.code).toBe(code)
    expect(last(ended.stdout)).toMatchObject({ verdict, keys: 1 })
  })

  test('is the same of a packed file, without a line break at the end, with blank lines', async () => {
    const file = temporaryFile('h.jsonl.gz', gzipSync(`\n${right.replaceAll('\n', '\r\n\n').trimEnd()}`))
    expect(await run(['check', file])).toMatchObject({ code: 0 })
  })
})

test('the page shows the time lines, and needs neither network nor script', async () => {
  const out = join(temporaryFolder(), 'made', 'why.html')
  const file = temporaryFile('h.jsonl', stale)
  const { code, stdout } = await run(['check', file, '--html', out])
  expect([code, stdout.trimEnd().split('\n').at(-1)]).toEqual([1, `${out} is written`])
  const { stdout: json } = await run(['check', file, '--html', out, '--json'])
  expect(last(json)).toMatchObject({ verdict: 'not-linearizable' })
  const page = readFileSync(out, 'utf8')
  expect(page).toContain('default-src &#39;none&#39;')
  expect(page).not.toMatch(/<script|(?:src|href)=/)
  expect(page.match(/<g class="kept">/g)).toHaveLength(2)
  expect(page.match(/<g class="stuck">/g)).toHaveLength(1)
  expect(page.match(/<g class="other open">/g)).toHaveLength(1)
  expect(page).toContain('prefers-color-scheme: dark')
  // A value may hold anything.
  expect(page).toContain('put &quot;k&quot; &quot;&lt;c&gt;&quot;')
})

test.each(['load', 'replay', 'explain'])('%s takes - as standard input too, and says so', async (command) => {
  const { code, stderr } = await run([command, '-'], '{')
  expect(code).toBe(2)
  expect(stderr).toMatch(/^raftbox: standard input, line 1: [^\n]+\n$/)
})

describe("a history of etcd's API", () => {
  const called = { client: 0, op: 'put', key: 'k', outcome: 'ok' }
  const puts = [
    { ...called, value: 'a', revision: 2, call: 1, return: 2 },
    { ...called, value: 'b', revision: 3, call: 3, return: 4 },
  ]
  const kvs = [{ key: 'k', value: 'a', createRevision: 2, modRevision: 2, version: 1 }]
  const read = { client: 1, op: 'range', key: 'k', kvs, call: 5, return: 6, outcome: 'ok' }
  const lost = { ...called, op: 'delete', call: 4, return: null, outcome: 'unknown' }

  test('is judged by its revisions', async () => {
    const file = temporaryFile('h.jsonl', lines(...puts, { ...read, revision: 3, atRevision: 2 }))
    const { code, stdout } = await run(['check', file, '--model', 'etcd'])
    expect([code, stdout]).toEqual([0, 'consistent: 3 records of 2 revisions\n'])
  })

  test('is explained by the records that contradict each other, also on a page', async () => {
    const out = join(temporaryFolder(), 'why.html')
    const file = temporaryFile('h.jsonl', lines(...puts, { ...read, revision: 3 }))
    const { code, stdout } = await run(['check', file, '--model', 'etcd', '--html', out])
    expect([code, stdout]).toEqual([
      1,
      `inconsistent: 3 records of 2 revisions, and 1 contradiction

a range shows its revision
  record 3 (range "k" → "k" = "a" of 2, revision 3, client 1) shows "k" as of 2 and not 3: record 2 (put "k" "b" → revision 3, client 0)
${out} is written
`,
    ])
    expect(readFileSync(out, 'utf8')).toContain('a range shows its revision')
  })

  test('is open where nobody was told of an event that may explain it', async () => {
    const gone = { ...read, kvs: [], revision: 5 }
    const { code, stdout } = await run(
      ['check', '-', '--model', 'etcd', '--json'],
      lines(...puts, lost, gone),
    )
    expect(code).toBe(2)
    expect(last(stdout)).toMatchObject({
      verdict: 'unknown',
      undecided: [{ rule: 'a range shows its revision' }],
    })
  })

  test('with a line that is no record ends with one line and exit code 2', async () => {
    const ended = await run(['check', '-', '--model', 'etcd'], lines({ ...puts[0], revision: '2' }))
    expect([ended.code, ended.stderr]).toEqual([
      2,
      'raftbox: standard input, line 1: revision: a whole number from 1 on, not "2"; see raftbox help check\n',
    ])
  })
})

describe('a file that is no history ends with one line and exit code 2:', () => {
  const one = { client: 0, op: 'get', key: 'k', result: null, call: 1, return: 2, outcome: 'ok' }

  test.each<[string, string | Uint8Array, string]>([
    ['nothing', '', 'standard input holds no operations; give a history with at least one'],
    ['no JSON', `${lines(one)}{"client"\n`, 'line 2: the line: an operation as a JSON object, not {"client"'],
    ['a list', '[]', 'line 1: the line: an operation as a JSON object, not []'],
    [
      'an unknown verb',
      lines({ ...one, op: 'read' }),
      'line 1: op: "get", "put", "append", "cas" or "delete", not "read"',
    ],
    ['no client', lines({ ...one, client: null }), 'line 1: client: a whole number or a text, not null'],
    ['no key', lines({ ...one, key: undefined }), 'line 1: key: a text, not nothing'],
    [
      'a time with a fraction',
      lines({ ...one, call: 0.5 }),
      'line 1: call: a time as a whole number of at most 9,007,199,254,740,991 (count from the start of the run), not 0.5',
    ],
    [
      'no return',
      lines({ ...one, return: null }),
      'line 1: return: a time as a whole number of at most 9,007,199,254,740,991 (count from the start of the run), not null',
    ],
    [
      'a return before its call',
      lines({ ...one, call: 3 }),
      'line 1: return: a time that is not before the call at 3, not 2',
    ],
    [
      'another outcome',
      lines({ ...one, outcome: 'done' }),
      'line 1: outcome: "ok", "fail" or "unknown", not "done"',
    ],
    ['a put of nothing', lines({ ...one, op: 'put' }), 'line 1: value: a text, not nothing'],
    [
      'a swap for nothing',
      lines({ ...one, op: 'cas', value: 'a' }),
      'line 1: expected: a text, or null for no key, not nothing',
    ],
    [
      'a swap that does not say how it went',
      lines({ ...one, op: 'cas', value: 'a', expected: null }),
      'line 1: result: true or false, not null',
    ],
    ['a number', lines({ ...one, result: 7 }), 'line 1: result: a text, or null for no key, not 7'],
    [
      'a deletion of a text',
      lines({ ...one, op: 'delete', result: 'a' }),
      'line 1: result: true, false or null, not "a"',
    ],
    ['other bytes', Uint8Array.of(0x22, 0xff), 'line 1: this is not UTF-8'],
    ['a line too long', `"${'a'.repeat(1 << 20)}"`, 'line 1: the line has more than 1048576 bytes'],
  ])('%s', async (_, content, words) => {
    const { code, stdout, stderr } = await run(['check', '-'], content)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(words)
    expect(stderr.trimEnd()).not.toContain('\n')
  })

  test('no file, and no place for the page', async () => {
    expect((await run(['check', 'no/such.jsonl'])).stderr).toContain('no/such.jsonl: there is no such file')
    const page = ['--html', join(process.execPath, 'x.html')]
    const { code, stderr } = await run(['check', '-', ...page], right)
    expect([code, stderr]).toEqual([2, expect.stringContaining('choose another with --html')])
  })
})
