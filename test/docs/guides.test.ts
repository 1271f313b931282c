/** The guides cannot go stale: their code is files that run, and their lists are compared with the types. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { expect, test } from 'vitest'
import * as raftbox from '../../src/cluster/index.js'
import { levelOf } from '../../src/journal/index.js'
import { metrics } from '../../src/metrics/index.js'
import { verbs } from '../../src/verbs/index.js'
import { run } from '../cli/raftbox.js'
import { brokenBlocks, firstColumn } from './blocks.js'

const guides = [
  'README.md',
  ...readdirSync('docs').flatMap((name) => (/\.md$/.test(name) ? [`docs/${name}`] : [])),
]
const textOf = (path: string) => readFileSync(path, 'utf8')
const readFile = (path: string) => (existsSync(path) ? textOf(path) : undefined)

test('code in the guides is a file that a test runs, to the letter', () => {
  expect(guides.flatMap((path) => brokenBlocks(path, textOf(path), readFile))).toEqual([])
  const shown = guides.map(textOf).join('\n')
  for (const example of readdirSync('docs/examples')) expect(shown).toContain(`examples/${example}`)
})

test('a block of no file, and one that differs from its file, are found', () => {
  const text = '<!-- a.ts -->\n```ts\na\n```\n```js\nb\n```\n```sh\nc\n```\n'
  const files = new Map([['docs/a.ts', 'a\n']])
  expect(brokenBlocks('docs/x.md', text, (path) => files.get(path))).toEqual([
    'docs/x.md has code of no file: b',
  ])
  expect(brokenBlocks('docs/x.md', text.replace('\na\n', '\nA\n'), (path) => files.get(path))[0]).toBe(
    'docs/x.md has another a.ts than the file',
  )
})

test('links of the guides lead to files', () => {
  for (const path of [...guides, 'CONTRIBUTING.md']) {
    for (const [, target = ''] of textOf(path).matchAll(/\]\(([^)#:]+)\)/g)) {
      expect(existsSync(posix.join(posix.dirname(path), target)), `${target} in ${path}`).toBe(true)
    }
  }
})

// The compiler sees to it that each of these lists is whole.
type Names<Union extends string> = Readonly<Record<Union, true>>
type Handle = Exclude<keyof raftbox.Cluster, 'start' | symbol>
type Property =
  | 'options'
  | 'dir'
  | 'events'
  | 'leaderId'
  | 'kv'
  | 'closing'
  | 'faults'
  | 'breaker'
  | 'changer'
  | 'membership'
type RoleReason = Extract<raftbox.ClusterEvent, { type: 'role' }>['reason']

const options: Names<keyof raftbox.ClusterOptions> = {
  nodes: true,
  dir: true,
  renew: true,
  durability: true,
  host: true,
  machine: true,
  heartbeatIntervalMs: true,
  electionTimeoutMs: true,
  reads: true,
  priorities: true,
  requestTimeoutMs: true,
  sessionTimeoutMs: true,
  logBytesMax: true,
  trailingBytes: true,
  diskBytesMax: true,
  recordDir: true,
}
const methods: Names<Exclude<Handle, Property>> = {
  put: true,
  get: true,
  delete: true,
  append: true,
  cas: true,
  range: true,
  propose: true,
  query: true,
  call: true,
  client: true,
  addNode: true,
  removeNode: true,
  replaceNode: true,
  promote: true,
  demote: true,
  changeMembership: true,
  transfer: true,
  kill: true,
  stop: true,
  restart: true,
  losePower: true,
  pause: true,
  resume: true,
  skew: true,
  slowDisk: true,
  stallDisk: true,
  failDisk: true,
  fullDisk: true,
  cut: true,
  delay: true,
  drop: true,
  duplicate: true,
  reorder: true,
  throttle: true,
  partition: true,
  isolate: true,
  heal: true,
  status: true,
  look: true,
  messages: true,
  trace: true,
  log: true,
  nemesis: true,
  snapshot: true,
  export: true,
  hashes: true,
  takeHeartbeatLateness: true,
  story: true,
  accompany: true,
  close: true,
}
const properties: Names<Property> = {
  options: true,
  dir: true,
  events: true,
  leaderId: true,
  kv: true,
  closing: true,
  faults: true,
  changer: true,
  membership: true,
  breaker: true,
}
const events: Names<raftbox.ClusterEvent['type']> = {
  started: true,
  role: true,
  voteAnswered: true,
  messageDropped: true,
  snapshotSending: true,
  snapshotInstalling: true,
  membership: true,
  transferBegan: true,
  transferEnded: true,
  killed: true,
  removed: true,
  failed: true,
  paused: true,
  resumed: true,
  heartbeatMissed: true,
  threadStood: true,
  leaseHeld: true,
  leaseLost: true,
  flushLate: true,
  flushEnded: true,
  commitLate: true,
  commitEnded: true,
  overloaded: true,
  repeated: true,
  missed: true,
  hostBlocked: true,
  faultBegan: true,
  faultHealed: true,
}
const reasons: Names<RoleReason> = {
  electionTimeout: true,
  campaign: true,
  transfer: true,
  removed: true,
  preVoteWon: true,
  electionWon: true,
  electionLost: true,
  higherTerm: true,
  leaderDiscovered: true,
  quorumLost: true,
  diskStalled: true,
}

const handle = textOf('docs/handle.md')

test.each([
  ['option', options],
  ['method', methods],
  ['property', properties],
  ['type', events],
  ['reason of a `role` event', reasons],
])('the guide to the handle has each %s, and no other', (header, names) => {
  expect(firstColumn(handle, header).sort()).toEqual(Object.keys(names).sort())
})

test('the guide to the sandbox has each verb, as help tells it', () => {
  const rows = verbs.map(
    ({ usage, explanation }) => `| \`${usage.replaceAll('|', '\\|')}\` | ${explanation} |`,
  )
  const table = `| verb | what it does |\n|---|---|\n${rows.join('\n')}\n\n`
  expect(textOf('docs/sandbox.md')).toContain(table)
})

test('the guide to the handle has each error, and says of it what the code does', () => {
  const rows = [...handle.matchAll(/^\| `([A-Z_]+)` \| (\w+) \| (\w+) \|/gm)].map(
    ([, code, mayHaveHappened, retry]) => [code, { mayHaveHappened, isRetryable: retry === 'yes' }],
  )
  const expected = Object.entries(raftbox.errors).map(([code, { mayHaveHappened, isRetryable }]) => [
    code,
    { mayHaveHappened, isRetryable },
  ])
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(expected))
  expect(rows.length, 'each once').toBe(expected.length)
})

test('the guide to the handle names all that the package exports', () => {
  for (const name of Object.keys(raftbox)) expect(handle).toMatch(new RegExp(`\`${name}[\`(]`))
})

test('the guide to measuring names flags and fields that there are', async () => {
  const guide = textOf('docs/measuring.md')
  const suite = ['main.ts', 'suite/program.ts']
    .map((file) => readFileSync(join('bench', file), 'utf8'))
    .join('\n')
  const [bench, report] = await Promise.all([run(['help', 'bench']), run(['help', 'report'])])
  const flags = `${bench.stdout} ${report.stdout} ${suite}`
  const named = [...guide.matchAll(/[ `](--[a-z]+)\b/g)].map(([, flag]) => flag)
  expect(named.length).toBeGreaterThan(10)
  for (const flag of named) expect(flags).toContain(flag)
  const fields = firstColumn(guide, 'field')
  expect(fields.length).toBeGreaterThan(5)
  for (const field of fields) expect(bench.stdout).toContain(field)
})

test('the guide to logs has each happening, at its level', () => {
  const types = Object.keys(events).sort()
  const guide = textOf('docs/metrics-and-logs.md')
  for (const level of ['error', 'warn', 'info', 'debug']) {
    const ofLevel = types.filter((type) => levelOf({ type } as raftbox.ClusterEvent) === level)
    expect(guide).toContain(`| \`${level}\` | ${ofLevel.map((type) => `\`${type}\``).join(', ')} |\n`)
  }
})

test('the guide to metrics has each metric, as a scrape tells it', () => {
  const rows = metrics.map(
    ({ name, type, labels, help }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
  )
  const table = `| metric | type | labels | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n\n`
  expect(textOf('docs/metrics-and-logs.md')).toContain(table)
})
