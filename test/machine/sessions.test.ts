import { expect, test } from 'vitest'
import { registerFrame, SessionMachine } from '../../src/machine/index.js'
import { entryKinds, packCommands, stampRun } from '../../src/raft/index.js'
import { callFrame, cutAfter, Diary, SessionLog } from './session-log.js'

test("[SE1] a session's id is the index of the entry that registered it", () => {
  const log = new SessionLog()
  log.lastIndex = 6
  expect(log.frame(registerFrame(1000))).toEqual(['applied', 7])
  expect(log.frame(registerFrame(1000))).toEqual(['applied', 8])
})

test('[SE2] a call is applied once, and each copy of its frame is answered as the first one', () => {
  const log = new SessionLog()
  const session = log.register()
  const frame = callFrame({ session, sequence: 1, firstOutstanding: 1 }, 'a', 'b')
  const first = log.frame(frame)
  expect(first).toEqual(['applied', 3, '1', '2'])
  log.call(session, 2, 'c')
  log.term++
  expect(log.frame(frame)).toEqual(first)
  expect(log.diary.lines).toEqual(['a', 'b', 'c'])
})

test('[SE2] a copy is answered as the first one also on a node where nobody waited for the first answer', () => {
  const log = new SessionLog()
  const session = log.register()
  const frame = callFrame({ session, sequence: 1, firstOutstanding: 1 }, 'a', 'b')
  expect(log.machine.apply(log.append(frame), undefined)).toBe(2)
  expect(log.frame(frame)).toEqual(['applied', 3, '1', '2'])
  expect(log.machine.apply(log.append(frame), undefined)).toBe(0)
})

test('[SE2] sessions do not share their sequences', () => {
  const log = new SessionLog()
  const [one, other] = [log.register(), log.register()]
  log.call(one, 1, 'a')
  expect(log.call(other, 1, 'b')).toEqual(['applied', 6, '2'])
  expect(log.call(one, 1, 'a')).toEqual(['applied', 4, '1'])
})

test('[SE3] a call that was not applied is applied behind later ones', () => {
  const log = new SessionLog()
  const session = log.register()
  log.call(session, 3, 'c', 1)
  log.call(session, 1, 'a', 1)
  expect(log.call(session, 2, 'b', 1)).toEqual(['applied', 7, '3'])
  expect(log.diary.lines).toEqual(['c', 'a', 'b'])
})

test('[SE4] a call before the first outstanding one is not applied', () => {
  const log = new SessionLog()
  const session = log.register()
  log.call(session, 1, 'a', 1)
  log.call(session, 3, 'c', 3)
  expect(log.call(session, 1, 'a', 1)).toEqual(['stale', 6, ''])
  expect(log.call(session, 2, 'b', 2)).toEqual(['stale', 8, ''])
  expect(log.call(session, 3, 'c', 3)).toEqual(['applied', 5, '2'])
  expect(log.diary.lines).toEqual(['a', 'c'])
})

test("[SE5] a session expires once the log's time passes its last use by its own timeout", () => {
  const log = new SessionLog()
  log.tellTime(50_000)
  const [short, long] = [log.register(1000), log.register(2000)]
  log.tellTime(50_500)
  log.call(short, 1, 'a')
  log.tellTime(51_500)
  expect(log.call(short, 2, 'b')[0]).toBe('applied')
  log.tellTime(52_501)
  expect(log.call(short, 3, 'c')[0]).toBe('expired')
  expect(log.call(long, 1, 'd')[0]).toBe('expired')
  expect(log.diary.lines).toEqual(['a', 'b'])
})

test("[SE5] the log's time never falls", () => {
  const log = new SessionLog()
  const session = log.register(1000)
  log.tellTime(900)
  log.tellTime(3)
  expect(log.machine.timeMs).toBe(900)
  log.call(session, 1, 'a')
  log.tellTime(1900)
  expect(log.call(session, 2, 'b')[0]).toBe('applied')
})

test('[SE5] sessions expire at the same entries on a node that was paused as on all others', () => {
  const [one, other] = [new SessionLog(), new SessionLog()]
  for (const log of [one, other]) {
    const session = log.register(1000)
    log.tellTime(1001)
    log.call(session, 1, 'a')
  }
  expect(one.machine.hash()).toBe(other.machine.hash())
  expect(one.diary.lines).toEqual([])
})

test('[SE6] a call of a session that never was is not applied', () => {
  const log = new SessionLog()
  expect(log.frame(callFrame({ session: 9, sequence: 1, firstOutstanding: 1 }, 'a', 'b'))).toEqual([
    'expired',
    1,
    '',
    '',
  ])
  expect(log.diary.lines).toEqual([])
})

test.each([1, 7, 1000])('[SE7] a snapshot in pieces of %d bytes carries the sessions', (pieceBytes) => {
  const log = new SessionLog()
  const [idle, session] = [log.register(1000), log.register(1500)]
  log.tellTime(700)
  const first = log.call(session, 1, 'a', 1)
  log.call(session, 2, 'b', 1)
  const other = log.restored(pieceBytes)
  expect(other.machine.hash()).toBe(log.machine.hash())
  expect(other.call(session, 1, 'a', 1)).toEqual(first)
  expect(other.diary.lines).toEqual(['a', 'b'])
  other.tellTime(1001)
  expect(other.call(idle, 1, 'c')[0]).toBe('expired')
  expect(other.call(session, 3, 'd')[0]).toBe('applied')
})

/** The hash of a machine that was restored from these pieces. */
function hashOf(pieces: Iterator<Uint8Array>): string {
  const machine = new SessionMachine(new Diary())
  machine.restore({ [Symbol.iterator]: () => pieces })
  return machine.hash()
}

test('[SE7] a snapshot shows the sessions of the moment at which it was begun', () => {
  const log = new SessionLog()
  const session = log.register()
  log.call(session, 1, 'a')
  const hash = log.machine.hash()
  const pieces = log.machine.snapshot()
  log.call(session, 2, 'b')
  expect(hashOf(pieces)).toBe(hash)
})

/** Bytes of the pieces of a session with an answer of so many bytes, in front of a machine whose pieces are these. */
function piecesOf(answerBytes: number, own: readonly string[]): number[] {
  const log = new SessionLog()
  log.diary.padding = answerBytes
  log.call(log.register(), 1, 'a')
  log.diary.snapshot = () => own.map((text) => Buffer.from(text)).values()
  const machine = log.machine.snapshot()
  return [...{ [Symbol.iterator]: () => machine }].map(({ byteLength }) => byteLength)
}

test.each([
  [10, 0],
  [300_000, 2],
])(
  '[SE7] the end of sessions with %d bytes of answers, behind %d full pieces, and the first piece of the machine are one piece',
  (answerBytes, fullPieces) => {
    const full = Array<number>(fullPieces).fill(128 << 10)
    const end = piecesOf(answerBytes, []).at(-1)!
    expect(piecesOf(answerBytes, [])).toEqual([...full, end])
    expect(piecesOf(answerBytes, ['four', 'sixsix'])).toEqual([...full, end + 4, 6])
  },
)

test('[SE7] a long piece of the machine stays by itself', () => {
  const [sessions] = piecesOf(10, [])
  expect(piecesOf(10, ['long'.repeat(200_000), 'four'])).toEqual([sessions, 800_000, 4])
})

test('[SE7] a snapshot that is given up gives up that of the state machine', () => {
  const log = new SessionLog()
  log.register()
  let isGivenUp = false
  const machine = new SessionMachine({
    ...log.diary,
    snapshot: () => ({
      next: () => ({ done: false, value: Buffer.from('x') }),
      return: () => {
        isGivenUp = true
        return { done: true, value: undefined }
      },
    }),
  })
  machine.apply(stampRun(registerFrame(1000), 1, 1, entryKinds.session), undefined)
  machine.snapshot().return?.()
  expect(isGivenUp).toBe(true)
})

/** The pieces of a machine whose `snapshot` gives this. */
function piecesOfGiven(given: unknown): Uint8Array[] {
  const machine = new SessionMachine({ ...new Diary(), snapshot: () => given as Iterator<Uint8Array> })
  const snapshot = machine.snapshot()
  return [...{ [Symbol.iterator]: () => snapshot }]
}

test.each([
  [undefined, 'undefined'],
  [['a list of pieces'], 'a list'],
  ['a text', 'a text'],
])('[SE7] a machine whose snapshot is %j is told that it owes an iterator', (given, told) => {
  const message = `the machine owes an iterator of its snapshot: it gave ${told}`
  expect(() => piecesOfGiven(given)).toThrow(new TypeError(message))
})

test.each([
  [['a text'], 'a text'],
  [[Buffer.from('good'), 7], '7'],
])('[SE7] a machine whose snapshot has the pieces %j is told that it owes bytes', (pieces, told) => {
  const message = `the machine owes a Uint8Array for each piece of its snapshot: it gave ${told}`
  expect(() => piecesOfGiven(pieces.values())).toThrow(new TypeError(message))
})

test('[SE7] the hash covers what sessions remember', () => {
  const [one, other] = [new SessionLog(), new SessionLog()]
  for (const log of [one, other]) log.call(log.register(), 1, 'a')
  expect(one.machine.hash()).toBe(other.machine.hash())
  one.tellTime(1)
  expect(one.machine.hash()).not.toBe(other.machine.hash())
})

test.each([
  ['within the row of a session', 120],
  ['within its first row', 30],
])('[SE7] a snapshot that ends %s is refused', (_, length) => {
  const log = new SessionLog()
  log.call(log.register(), 1, 'a')
  const [first] = [...{ [Symbol.iterator]: () => log.machine.snapshot() }]
  expect(() => log.machine.restore([first?.subarray(0, length) ?? Buffer.alloc(0)])).toThrow(
    'snapshot of the sessions',
  )
})

test('[SE8] a frame in parts is the same as the whole', () => {
  for (const cuts of [[1], [2], [3], [1, 2], [1, 2, 3], [2, 3]]) {
    const [whole, cut] = [new SessionLog(), new SessionLog()]
    for (const log of [whole, cut]) log.register()
    const frame = callFrame({ session: 1, sequence: 1, firstOutstanding: 1 }, 'a', 'b', 'c')
    whole.frame(frame)
    const parts = cutAfter(cut.append(frame), ...cuts)
    for (const part of parts) cut.machine.apply(part, undefined)
    expect(cut.machine.hash()).toBe(whole.machine.hash())
    expect(cut.frame(frame)).toEqual(['applied', 3, '1', '2', '3'])
    const copy = cutAfter(cut.append(frame), ...cuts)
    expect(copy.flatMap((part) => cut.apply(part))).toEqual(['applied', 3, '1', '2', '3'])
    expect(cut.diary.lines).toEqual(['a', 'b', 'c'])
  }
})

test('[SE8] a snapshot that is taken within a frame knows its rest', () => {
  for (const cut of [1, 2, 3]) {
    const log = new SessionLog()
    log.register()
    const frame = callFrame({ session: 1, sequence: 1, firstOutstanding: 1 }, 'a', 'b', 'c')
    const [begun, rest] = cutAfter(log.append(frame), cut)
    if (begun === undefined || rest === undefined) throw new Error('a run is cut in two')
    log.apply(begun)
    const other = log.restored()
    expect(other.machine.hash()).toBe(log.machine.hash())
    other.apply(rest)
    expect(other.diary.lines).toEqual(['a', 'b', 'c'])
    expect(other.frame(frame)).toEqual(['applied', 3, '1', '2', '3'])
  }
})

test('[SE8] a copy of a frame whose rest was replaced applies the rest alone', () => {
  for (const cut of [1, 2, 3]) {
    const log = new SessionLog()
    log.register()
    const frame = callFrame({ session: 1, sequence: 1, firstOutstanding: 1 }, 'a', 'b', 'c')
    const [begun] = cutAfter(log.append(frame), cut)
    if (begun === undefined) throw new Error('a run is cut in two')
    log.apply(begun)
    const other = log.restored()
    other.lastIndex = begun.index + begun.count - 1
    other.term++
    expect(other.frame(frame)).toEqual(['applied', 3, '1', '2', '3'])
    expect(other.frame(frame)).toEqual(['applied', 3, '1', '2', '3'])
    expect(other.diary.lines).toEqual(['a', 'b', 'c'])
  }
})

test('[SE8] a frame that is not applied is not applied in parts', () => {
  const log = new SessionLog()
  const frame = callFrame({ session: 9, sequence: 1, firstOutstanding: 1 }, 'a', 'b')
  const told = cutAfter(log.append(frame), 1, 2).map((part) => log.apply(part))
  expect(told).toEqual([['expired', 1], [''], ['']])
  expect(log.diary.lines).toEqual([])
})

test('[SE9] one session too many takes the place of the one that was used longest ago', () => {
  const log = new SessionLog()
  const sessions = Array.from({ length: 256 }, () => log.register())
  const [first = 0, second = 0] = sessions
  log.call(first, 1, 'a')
  log.register()
  expect(log.call(second, 1, 'b')[0]).toBe('expired')
  expect(log.call(first, 2, 'c')[0]).toBe('applied')
})

test('[SE10] a session that remembers 1024 answers takes no further call until some are received', () => {
  const log = new SessionLog()
  const session = log.register()
  for (let sequence = 1; sequence <= 1024; sequence++) log.call(session, sequence, `${sequence}`, 1)
  expect(log.call(session, 1025, 'more', 1)[0]).toBe('full')
  expect(log.call(session, 1, '1', 1)).toEqual(['applied', 3, '1'])
  expect(log.diary.lines).toHaveLength(1024)
  expect(log.call(session, 1025, 'more', 3)[0]).toBe('applied')
  expect(log.call(session, 2, '2', 3)[0]).toBe('stale')
})

test('[SE11] beyond 16 MiB the oldest results are forgotten, and their calls are not applied again', () => {
  const log = new SessionLog()
  log.diary.padding = 5 << 20
  const [one, other] = [log.register(), log.register()]
  log.call(one, 1, 'a', 1)
  log.call(other, 1, 'b', 1)
  log.call(other, 2, 'c', 1)
  const whole = log.restored()
  for (const node of [log, whole]) node.diary.padding = 5 << 20
  for (const node of [log, whole]) {
    expect(node.call(other, 3, 'd', 1)[0]).toBe('applied')
    expect(node.call(one, 1, 'a', 1)).toEqual(['forgotten', 4, ''])
    expect(node.call(other, 1, 'b', 1)).toEqual(['applied', 6, '2'])
    expect(node.diary.lines).toEqual(['a', 'b', 'c', 'd'])
  }
  expect(log.machine.hash()).toBe(whole.machine.hash())
})

test('[SE11] results that the client has received make room', () => {
  const log = new SessionLog()
  log.diary.padding = 5 << 20
  const session = log.register()
  for (let sequence = 1; sequence <= 9; sequence++) log.call(session, sequence, 'a', sequence - 1)
  expect(log.call(session, 9, 'a', 9)).toEqual(['applied', 19, '9'])
})

test('[SE12] commands outside of sessions pass through, with the snapshots and hashes of the machine alone', () => {
  const log = new SessionLog()
  expect(log.frame(packCommands([Buffer.from('a'), Buffer.from('b')]), entryKinds.commands)).toEqual([
    '1',
    '2',
  ])
  expect(log.machine.hash()).toBe(log.diary.hash())
  expect([...{ [Symbol.iterator]: () => log.machine.snapshot() }]).toEqual([Buffer.from('["a","b"]')])
  expect(log.restored().diary.lines).toEqual(['a', 'b'])
})

test("[SE13] a machine is told the index, the term and the log's time of its commands", () => {
  const log = new SessionLog()
  log.frame(packCommands([Buffer.from('a')]), entryKinds.commands)
  const session = log.register()
  log.tellTime(77)
  log.term = 4
  log.call(session, 1, 'b')
  log.frame(packCommands([Buffer.from('c')]), entryKinds.commands)
  expect(log.diary.told).toEqual([
    [1, 1, 0],
    [5, 4, 77],
    [6, 4, 77],
  ])
})

test('[SE14] a machine whose snapshot is a generator shows the state of the moment at which it was begun', () => {
  const log = new SessionLog()
  const session = log.register()
  log.call(session, 1, 'a')
  log.diary.snapshot = function* () {
    for (const line of JSON.stringify(log.diary.lines)) yield Buffer.from(line)
  }
  const hash = log.machine.hash()
  const pieces = log.machine.snapshot()
  log.call(session, 2, 'b')
  expect(hashOf(pieces)).toBe(hash)
})

test("[LT3] a machine hears of the log's time where it is told, in order with its commands", () => {
  const log = new SessionLog()
  log.tellTime(70)
  log.frame(packCommands([Buffer.from('a')]), entryKinds.commands)
  log.term = 4
  log.tellTime(90)
  // An entry that tells an earlier time tells that none has passed.
  log.tellTime(80)
  expect(log.diary.told).toEqual([[2, 1, 70]])
  expect(log.diary.times).toEqual([
    [1, 1, 70],
    [3, 4, 90],
    [4, 4, 90],
  ])
})

test("[SE7] the log's time outlives a snapshot also where there was no session", () => {
  const log = new SessionLog()
  log.tellTime(70)
  const other = log.restored()
  expect(other.machine.timeMs).toBe(70)
  expect(other.machine.hash()).toBe(log.machine.hash())
  other.frame(packCommands([Buffer.from('a')]), entryKinds.commands)
  expect(other.diary.told).toEqual([[2, 1, 70]])
})

test('[LT1] the shortest timeout is that of a session or of the machine', () => {
  const log = new SessionLog()
  expect(log.machine.leastTimeoutMs).toBe(Number.POSITIVE_INFINITY)
  log.diary.leastTimeoutMs = 500
  expect(log.machine.leastTimeoutMs).toBe(500)
  log.register(400)
  expect(log.machine.leastTimeoutMs).toBe(400)
})

test('a machine that gives another number of results than commands is not believed', () => {
  const machine = new SessionMachine({
    ...new Diary(),
    apply: (_, results) => results?.append(Buffer.from('1')),
  })
  machine.apply(stampRun(registerFrame(1000), 1, 1, entryKinds.session), undefined)
  const frame = callFrame({ session: 1, sequence: 1, firstOutstanding: 1 }, 'a', 'b')
  expect(() => machine.apply(stampRun(frame, 2, 1, entryKinds.session), undefined)).toThrow('it gave 1 for 2')
})
