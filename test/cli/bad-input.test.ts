import { spawnSync } from 'node:child_process'
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { RaftError } from '../../src/cluster/index.js'
import { exitCodeOf, lineOf } from '../../src/terminal/failure.js'
import { program, run, temporaryFile, temporaryFolder } from './raftbox.js'

test.each([
  ['an unknown command', ['bank'], "unknown command 'bank'"],
  ['an unknown topic of help', ['help', 'bank'], "unknown command 'bank'"],
  ['an unknown flag', ['--fast'], "unknown option '--fast'"],
  ['an unknown flag of a command', ['bench', '--fast'], "unknown option '--fast'; see raftbox help bench"],
  ['a misspelt flag', ['bench', '--sise', '3'], 'Did you mean --size?'],
  ['a word too many', ['bench', 'now'], "too many arguments for 'bench'"],
  ['a flag without its value', ['bench', '--nodes'], "'--nodes <count>' argument missing"],
  ['no nodes', ['bench', '--nodes', '0'], "--nodes: give a whole number from 1 to 25, not '0'"],
  ['fewer than no nodes', ['bench', '--nodes', '-1'], "from 1 to 25, not '-1'"],
  ['too many nodes', ['sandbox', '--nodes', '26'], "from 1 to 25, not '26'"],
  ['half a node', ['load', 'x.csv', '--nodes', '2.5'], "from 1 to 25, not '2.5'"],
  ['no number', ['bench', '--clients', '1e3'], '--clients: give a whole number'],
  ['no clients', ['bench', '--clients', '0'], '--clients: give a whole number'],
  ['too small a command', ['bench', '--size', '10'], '--size: give a whole number from 11'],
  ['too large a command', ['bench', '--size', '262145'], 'to 262144'],
  ['no time', ['bench', '--seconds', '0'], '--seconds: give a number from 0.1'],
  ['another durability', ['bench', '--durability', 'maybe'], "--durability: give flush or none, not 'maybe'"],
  ['other threads', ['bench', '--threads', '4'], '--threads: give on or off'],
  ['too fast a heartbeat', ['bench', '--heartbeat', '1'], '--heartbeat: give a whole number from 2'],
  ['a workload that scans', ['bench', '--workload', 'e'], '--workload: give a, b, c, d or f'],
  ['a batch of nothing', ['bench', '--batch', '0'], '--batch: give a whole number'],
  ['too large a batch', ['bench', '--batch', '10000'], 'give fewer or smaller ones'],
  [
    'a batch of a workload',
    ['bench', '--workload', 'a', '--batch', '2'],
    '--batch: leave it out with --workload',
  ],
  [
    'more calls than may wait',
    ['bench', '--clients', '100000', '--size', '1000'],
    'give fewer or smaller ones',
  ],
  ['a rate of nothing', ['bench', '--rate', '0'], '--rate: give a whole number from 1'],
  ['other arrivals', ['bench', '--rate', '9', '--arrivals', 'odd'], '--arrivals: give poisson or even'],
  ['records of no workload', ['bench', '--records', '5'], '--records: say with --workload'],
  ['reads of no workload', ['bench', '--reads-from', 'any'], '--reads-from: say with --workload'],
  [
    'calls that do not find room together with their frames',
    ['bench', '--batch', '10000', '--size', '11', '--clients', '444'],
    '--clients: 444 calls of 150256 bytes are more than',
  ],
  ['arrivals without a rate', ['bench', '--arrivals', 'even'], '--arrivals: say how many'],
  ['too long a card', ['card', '--seconds', '61'], 'from 0.1 to 60'],
  ['no directory', ['bench', '--dir', ''], '--dir: give the path of a directory'],
  ['a directory below a file', ['bench', '--dir', `${process.execPath}/x`], 'choose another directory'],
  ['a file to be exported', ['snapshot', 'export', process.execPath, 'x'], 'choose another directory'],
  ['a directory that is a file', ['sandbox', '--dir', process.execPath], 'choose another directory'],
  [
    'seeds behind the last one',
    ['sim', '--from', '4294967290', '--seeds', '12'],
    '--seeds, --from: the last seed would be 4294967301, and there is none above 4294967295',
  ],
  ['a seed and seeds', ['sim', '--seed', '1', '--seeds', '2'], '--seed: leave it out'],
  ['a trace of many', ['sim', '--trace'], '--trace: name one seed with --seed'],
  ['an escape in a flag', ['bench', '--threads', '\x1b[2J'], "--threads: give on or off, not '\\u001b[2J'"],
  ['an escape in a command', ['\x9b2J'], "unknown command '\\u009b2J'"],
  ['an escape in the name of a file', ['load', '\x1b]0;x\x07'], '\\u001b]0;x\\u0007: there is no such file'],
  [
    'another encoding',
    ['load', 'x.csv', '--encoding', 'latin1'],
    "--encoding: give utf8 or bytes, not 'latin1'",
  ],
  [
    'an election timeout of one heartbeat',
    ['sandbox', '--election-timeout', '100'],
    'raftbox: --election-timeout: a whole number from 300 to 600000, not 100',
  ],
  ['a node that is not there', ['sandbox', '--renew', '9'], 'raftbox: --renew: one of 1, 2, 3, not 9'],
  [
    'ports that are not there',
    ['sandbox', '--page', 'off', '--etcd', '65535'],
    'raftbox: --etcd: at most 65533 for 3 nodes',
  ],
  ['no file', ['load'], "missing required argument 'file'; see raftbox help load"],
  ['a file that is missing', ['load', 'no/such.jsonl'], 'no/such.jsonl: there is no such file'],
])('%s is refused in one line, with exit code 2', async (_, args, words) => {
  const { code, stdout, stderr, left } = await run(args)
  expect([code, stdout, left]).toEqual([2, '', []])
  expect(stderr).toMatch(/^raftbox: [^\n]+\n$/)
  expect(stderr).toContain(words)
})

test.each<[string, (file: string, link: string) => string[], string]>([
  ['a page', (file, link) => ['check', file, '--html', link], '--html: {link} is the file of FILE too'],
  ['a picture', (file, link) => ['explain', file, '--svg', link], '--svg: {link} is the file of FILE too'],
  [
    'a recording and a story',
    (file, link) => ['sim', '--seed', '1', '--record', file, '--story', link],
    '--story: {link} is the file of --record too',
  ],
  [
    'a failure and its picture',
    (file) => ['sim', '--seed', '1', '--shrink', `${file}.new`, '--svg', `${file}.new`],
    '--svg: {file}.new is the file of --shrink too',
  ],
  [
    'a story and a log',
    (file, link) => ['sandbox', '--record', file, '--log', link],
    '--log: {link} is the file of --record too',
  ],
])(
  '%s in the place of another file of the command is refused, and the file is as it was',
  async (_, args, why) => {
    const file = temporaryFile('kept.jsonl', '{}\n')
    const link = `${file}.link`
    symlinkSync(file, link)
    const { code, stderr } = await run(args(file, link))
    const words = why.replace('{link}', link).replace('{file}', file)
    expect([code, stderr]).toEqual([2, `raftbox: ${words}: name another one\n`])
    expect(readFileSync(file, 'utf8')).toBe('{}\n')
  },
)

test('a directory of another number of nodes is told by the flag, and by the option where no flag was typed', async () => {
  const dir = join(temporaryFolder(), 'kept')
  expect((await run(['sandbox', '--page', 'off', '--nodes', '1', '--dir', dir], '')).code).toBe(0)
  const typed = await run(['bench', '--nodes', '5', '--dir', dir])
  expect([typed.code, typed.stderr]).toEqual([2, `raftbox: --nodes: 1, as ${dir} was made with, not 5\n`])
  const usual = await run(['bench', '--dir', dir])
  expect([usual.code, usual.stderr]).toEqual([2, `raftbox: nodes: 1, as ${dir} was made with, not 3\n`])
})

test.skipIf(process.platform !== 'linux')('a directory where nothing can be made is refused', async () => {
  const { code, stderr } = await run(['sandbox', '--dir', '/proc/raftbox/here'])
  expect(code).toBe(2)
  expect(stderr).toMatch(/^raftbox: \/proc\/raftbox\/here cannot be used: [^\n]*choose another directory\n$/)
})

test('a directory instead of a file of records, and a file without any, are refused', async () => {
  const folder = await run(['load', temporaryFolder()])
  expect([folder.code, folder.stderr]).toEqual([
    2,
    expect.stringMatching(/^raftbox: [^\n]* is a directory; [^\n]*\n$/),
  ])
  const empty = await run(['load', temporaryFile('empty.jsonl', '\n\n')])
  expect([empty.code, empty.stderr]).toEqual([
    2,
    expect.stringMatching(/^raftbox: [^\n]*no records; [^\n]*\n$/),
  ])
})

test('a directory of another program is left alone', async () => {
  const file = temporaryFile('cluster.json', '{"raftbox":99,"nodes":3}\n')
  const { code, stderr } = await run(['bench', '--dir', file.replace(/.cluster\.json$/, '')])
  expect(code).toBe(2)
  expect(stderr).toMatch(/^raftbox: [^\n]*format 99[^\n]*\n$/)
})

test.skipIf(process.platform === 'win32')(
  'an argument that is not UTF-8 names no other file or folder',
  async () => {
    const shell = 'exec "$0" "$1" sandbox --dir "$(printf "x\\377")" </dev/null'
    const { status, stderr } = spawnSync('sh', ['-c', shell, process.execPath, program], {
      cwd: temporaryFolder(),
      timeout: 55_000,
    })
    expect(String(stderr)).toMatch(
      /^raftbox: 'x\ufffd' holds U\+FFFD, which stands for bytes that are not UTF-8; [^\n]*\n$/,
    )
    expect(status).toBe(2)
  },
)

test.each([
  [
    'a folder in use',
    new RaftError('DIRECTORY_IN_USE', { dir: 'd', holder: 'process 7' }),
    2,
    'd is in use by process 7: stop it, or choose another directory',
  ],
  [
    'a folder that cannot be used',
    new RaftError('DIRECTORY_UNUSABLE', { dir: 'd', why: 'EACCES; choose another directory' }),
    2,
    'd cannot be used: EACCES; choose another directory',
  ],
  [
    'an option that does not fit',
    new RaftError('INVALID_OPTION', { option: 'nodes', expected: '3', actual: 5 }),
    2,
    'nodes: 3, not 5',
  ],
  [
    'a change of the members that does not fit',
    new RaftError('INVALID_CHANGE', { what: 'removing node 1', why: 'a cluster keeps at least one voter' }),
    2,
    'removing node 1: a cluster keeps at least one voter',
  ],
  [
    'a command that does not fit',
    new RaftError('INVALID_COMMAND', { what: 'key', expected: '1', actual: 0 }),
    2,
    'key: 1, not 0',
  ],
  [
    'a log that cannot be used',
    new RaftError('STORAGE_FAILED', { nodeId: 1, why: 'EIO' }),
    1,
    'the log of node 1 cannot be used: EIO',
  ],
  [
    'no leader',
    new RaftError('NO_LEADER', { deadlineMs: 9 }),
    1,
    'no leader was found within 9 ms (try again once a majority of the voters runs and is connected)',
  ],
])('%s has its exit code and one line', (_, error, code, line) => {
  expect([exitCodeOf(error), lineOf(error)]).toEqual([code, line])
})
