/** Answers of verbs: words for people and data for programs, of one result. */
import { expect, test } from 'vitest'
import { noLogInWords } from '../../src/logbook/index.js'
import { type Answer, parse, perform, verbs } from '../../src/verbs/index.js'
import { RecordedSubject } from './recorded-subject.js'

async function answers(subject: RecordedSubject, ...lines: string[]): Promise<Answer[]> {
  const all: Answer[] = []
  for (const line of lines) all.push(await perform({ subject }, parse(line)!))
  return all
}

test('a fault is answered with its number and its line, and listed with how long it stands', async () => {
  const subject = new RecordedSubject()
  const [cut] = await answers(subject, 'cut leader->3 heartbeat', 'slow-disk 1,2 200ms for 10s')
  const first = {
    id: 1,
    type: 'cut',
    line: 'cut 2->3 heartbeat',
    nodes: [2, 3],
    sinceMs: 1000,
    untilMs: null,
  }
  expect(cut).toEqual({ data: { fault: first }, words: '#1 cut 2->3 heartbeat' })
  subject.nowMs += 4200
  const [faults, healed, none] = await answers(subject, 'faults', 'heal #2', 'heal #2')
  expect(faults?.words).toBe(
    '#1 cut 2->3 heartbeat, for 4.2 s\n#2 slow-disk 1,2 200ms, for 4.2 s, heals in 5.8 s',
  )
  expect(healed?.words).toBe('healed #2 slow-disk 1,2 200ms for 10s')
  expect(none).toEqual({ data: { healed: [] }, words: 'no such fault stands' })
  const [status, all, empty] = await answers(subject, 'status', 'heal', 'faults')
  expect(status?.words).toMatch(/\n#1 cut 2->3 heartbeat, for 4\.2 s$/)
  expect(status?.data).toMatchObject({ faults: [first] })
  expect(all?.data).toEqual({ healed: [first] })
  expect(empty?.words).toBe('no fault stands')
})

test('a paused node is frozen and not dead, and runs again once it is resumed', async () => {
  const subject = new RecordedSubject()
  const [, killed, status] = await answers(subject, 'pause leader', 'kill 1,3', 'status')
  const fault = { ...{ id: 2, type: 'kill', line: 'kill 1,3', nodes: [1, 3] }, sinceMs: 1000, untilMs: null }
  expect(killed).toEqual({ data: { nodeIds: [1, 3], fault }, words: 'killed nodes 1, 3' })
  expect(status?.words.split('\n').map((line) => line.split(/ +/).slice(0, 6))).toMatchObject([
    ['node', 'state', 'member', 'role', 'term', 'leader'],
    ['1', 'stopped', 'voter', '-', '3', '-'],
    ['2', 'paused', 'voter', 'leader', '3', '2'],
    ['3', 'stopped', 'voter', '-', '3', '-'],
    ['4', 'running', 'voter', 'follower', '3', '2'],
    ['5', 'running', 'voter', 'follower', '3', '2'],
    ...[expect.anything(), expect.anything()],
  ])
  expect(await answers(subject, 'resume 2', 'restart 1,3')).toEqual([
    { data: { nodeIds: [2] }, words: 'node 2 runs again' },
    { data: { nodeIds: [1, 3] }, words: 'nodes 1, 3 run again' },
  ])
})

test('a power that is back at once leaves no fault behind', async () => {
  const subject = new RecordedSubject()
  expect(await answers(subject, 'power-loss 2')).toEqual([
    { data: { fault: null }, words: 'the power was lost, and is back' },
  ])
  expect((await answers(subject, 'power-loss 2 for 10s'))[0]?.words).toBe('#2 power-loss 2 for 10s')
})

test('bytes that are no text are told to programs in base64, and to people as escapes', async () => {
  const subject = new RecordedSubject()
  subject.keys.set('k', Buffer.of(0xff, 0x01))
  const [got, ranged] = await answers(subject, 'get k', 'range')
  expect(got).toMatchObject({
    data: { valueBase64: '/wE=', version: 1 },
    words: expect.stringMatching(/^\\xff\\u0001 \(version 1/),
  })
  expect(ranged?.data).toEqual({ entries: [{ key: 'k', valueBase64: '/wE=' }], hasMore: false })
})

test('a stale read tells its index and its age, and whether that is known', async () => {
  const subject = new RecordedSubject()
  subject.keys.set('k', 'v')
  const lines = ['get k from 2', 'get k stale from 2', 'get x stale from 3', 'range k stale']
  const [got, stale, absent, ranged] = await answers(subject, ...lines)
  expect(got?.data).toEqual({ value: 'v', version: 1, modRevision: 1 })
  expect(stale).toEqual({
    data: { value: 'v', version: 1, modRevision: 1, index: 12, ageMs: 40.5 },
    words: 'v (version 1, last put at revision 1), as of index 12, 41 ms old at most',
  })
  expect(absent?.words).toBe('there is no key x, as of index 12, of unknown age')
  expect(JSON.parse(JSON.stringify(absent?.data))).toEqual({ value: null, index: 12, ageMs: null })
  expect(ranged?.words).toBe('k v\n1 key, as of index 12, 41 ms old at most')
})

test('the logs of the nodes that are meant are read, also of those that are down', async () => {
  const subject = new RecordedSubject()
  await expect(answers(subject, 'log 1')).rejects.toThrow('log: the nodes of this host have no disk to read')
  const asked: unknown[] = []
  const host = Object.assign(subject, {
    log: async (nodeId: number, range: object) => {
      asked.push({ nodeId, ...range })
      return undefined
    },
  })
  await answers(host, 'kill 1')
  expect(await answers(host, 'log 1,2 5 9', 'log leader')).toEqual([
    { data: { logs: [] }, words: `${noLogInWords(1)}\n${noLogInWords(2)}` },
    { data: { logs: [] }, words: noLogInWords(2) },
  ])
  expect(asked).toEqual([{ nodeId: 1, from: 5, to: 9 }, { nodeId: 2, from: 5, to: 9 }, { nodeId: 2 }])
  await expect(answers(host, 'log 1 --follow')).rejects.toThrow('log: --follow is for people at the prompt')
})

test('help lists each verb on a line, and tells of one what it takes', async () => {
  const conversation = { showsEvents: true, isEnded: false }
  const help = (line: string) => perform({ subject: new RecordedSubject(), conversation }, parse(line)!)
  const { words, data } = await help('help')
  for (const usage of [
    'restart T [renew] ',
    'add [learner] ',
    'get KEY [stale] [from N|leader|any] ',
    'cut LINK ',
  ])
    expect(words).toContain(`\n${usage} `)
  for (const { name, explanation } of verbs)
    expect(words).toMatch(new RegExp(`^${name}\\b.*  ${explanation.slice(0, 10)}`, 'm'))
  expect(data).toMatchObject({ verbs: expect.arrayContaining([expect.objectContaining({ name: 'cut' })]) })
  expect((await help('help delay')).words.split('\n')).toEqual([
    'delay LINK DURATION [jitter DURATION] [MESSAGE] [for DURATION]',
    '  messages take so much longer',
    '  LINK: a link such as 1->3 (one way) or 1-3 (both ways)',
    '  DURATION: a duration such as 80ms',
    expect.stringMatching(/^ {2}MESSAGE: a kind of message such as heartbeat \(heartbeat, .*, requestVote, /),
  ])
  await expect(help('help dleay')).rejects.toThrow("there is no verb 'dleay' (did you mean delay?)")
})

test.each([
  ['explain [election [TERM]|index N|stall|last]', ['explain index', 'explain last 3', 'explain stall 3']],
  ['load off|CLIENTS [size BYTES] [rate CALLS/s]', ['load off size 1kB', 'load off rate 9/s']],
  ['log T [FROM [TO]|--follow]', ['log 1 5 --follow']],
  ['skew T +50ms [+10%]|+10% [for DURATION]', ['skew 1 +10% +10%']],
])('the usage %s offers nothing that the verb refuses', async (usage, refused) => {
  const { name, shortUsage, ...verb } = verbs.find((each) => usage.startsWith(`${each.name} `))!
  expect([verb.usage, shortUsage]).toEqual([usage, usage])
  const conversation = { showsEvents: true, isEnded: false, follow: () => undefined }
  for (const line of refused) {
    const subject = Object.assign(new RecordedSubject(), { log: async () => undefined })
    await expect(async () => perform({ subject, conversation }, parse(line)!), line).rejects.toThrow(
      `${name}`,
    )
  }
})

test('verbs of a conversation change it, and need one', async () => {
  const subject = new RecordedSubject()
  const conversation = { showsEvents: true, isEnded: false }
  await perform({ subject, conversation }, { verb: 'events', word: 'off' })
  await perform({ subject, conversation }, { verb: 'quit' })
  expect(conversation).toEqual({ showsEvents: false, isEnded: true })
  await expect(perform({ subject }, { verb: 'quit' })).rejects.toThrow(
    'quit is for the prompt of the sandbox',
  )
})

test('verbs that change the members ask the cluster, and answer with the members', async () => {
  const subject = new RecordedSubject()
  const [added, removed, replaced, moved, stopped] = await answers(
    subject,
    'add learner',
    'remove 2,3 keep',
    'replace 5',
    'transfer 3',
    'stop 1,4',
  )
  expect(subject.changes).toEqual([
    ...['launch 4', '1: addLearner 4', '1: remove 2, remove 3', 'keep 2', 'keep 3'],
    ...['launch 4', '1: addLearner 4', '1: promote 4, remove 5', 'drop 5', '1: hand over to 3'],
    ...['end 1', 'end 4'],
  ])
  const known = { voters: [1, 2, 3, 4, 5], votersOutgoing: [], learners: [], index: 7, isCommitted: true }
  expect(added).toEqual({
    data: { nodeId: 4, membership: { ...known, transferTo: null } },
    words: 'node 4 is a learner',
  })
  expect(removed).toMatchObject({ data: { nodeIds: [2, 3] }, words: 'removed nodes 2, 3' })
  expect(replaced?.words).toBe('node 4 is in its place')
  expect(moved).toEqual({ data: { leaderId: 3 }, words: 'node 3 leads' })
  expect(stopped).toEqual({ data: { nodeIds: [1, 4] }, words: 'stopped nodes 1, 4' })
})

test('each node of a target tells its snapshot', async () => {
  const [taken] = await answers(new RecordedSubject(), 'snapshot 1,3')
  const told = (nodeId: number) => ({ nodeId, index: 12, term: 3, size: 1000 })
  expect(taken).toEqual({
    data: { snapshots: [told(1), told(3)] },
    words: [1, 3].map((id) => `node ${id}: a snapshot as of entry 12 of term 3, 1,000 bytes`).join('\n'),
  })
  await expect(answers(new RecordedSubject(), 'snapshot 1 kept')).rejects.toThrow(
    'snapshot: the nodes of this host write no files',
  )
})
