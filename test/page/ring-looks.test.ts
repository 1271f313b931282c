import { describe, expect, test } from 'vitest'
import type { FaultFrame } from '../../src/observer/index.js'
import { keyOf, waysHit, wordsOfWay } from '../../src/page/link-look.js'
import { lookOf } from '../../src/page/node-look.js'
import { madeFrame, madeNode } from './made-frames.js'

function fault(type: string, more: Partial<FaultFrame> = {}): FaultFrame {
  return {
    ...{ id: 1, type, line: type, nodes: [], ways: [], messages: undefined, figures: {} },
    ...{ sinceMs: 0, untilMs: undefined },
    ...more,
  }
}

const there = { from: 1, to: 2 } as const

describe('a way between nodes', () => {
  const hit = (...faults: FaultFrame[]) => waysHit(madeFrame(1, 0, { faults })).get(keyOf(1, 2))

  test('is untouched where no fault acts on it', () => {
    expect(hit(fault('cut', { ways: [{ from: 2, to: 1 }] }))).toBeUndefined()
  })

  test.each(['cut', 'partition', 'isolate'])('is cut by %s', (type) => {
    expect(hit(fault(type, { ways: [there] }))).toMatchObject({ cut: 'all', figures: [] })
  })

  test('is cut for some messages only, unless another fault cuts it for all', () => {
    const some = fault('cut', { ways: [there], messages: 'heartbeat' })
    expect(hit(some)).toMatchObject({ cut: 'some', figures: ['no heartbeat'] })
    expect(hit(some, fault('cut', { ways: [there] }))).toMatchObject({ cut: 'all' })
    expect(hit(fault('cut', { ways: [there] }), some)).toMatchObject({ cut: 'all' })
  })

  test('tells the figures of all its faults, and the time that they may add', () => {
    const delay = fault('delay', { ways: [there], figures: { delayMs: 80, jitterMs: 20 } })
    const drop = fault('drop', { id: 2, ways: [there], figures: { share: 0.1 } })
    const throttle = fault('throttle', { id: 3, ways: [there], figures: { bytesPerSecond: 1_500_000 } })
    const look = hit(delay, drop, throttle)
    expect(look?.figures).toEqual(['+80 ms ± 20 ms', '10 % lost', '1.5 MB/s'])
    expect(look?.slowMs).toBe(100)
    expect(wordsOfWay(look!)).toBe('node 1 to node 2: +80 ms ± 20 ms, 10 % lost, 1.5 MB/s')
  })
})

describe('a node', () => {
  const look = (more: Parameters<typeof madeNode>[1], faults: FaultFrame[] = []) =>
    lookOf(madeNode(1, more), madeFrame(1, 0, { faults }))

  test('that leads is told apart in words, with its lease', () => {
    expect(look({ role: 'leader', isLeaseHeld: true, currentTerm: 3 })).toMatchObject({
      isLeaseHeld: true,
      caption: 'leader',
      words: 'node 1, leader, term 3, lease held',
    })
  })

  test('that does not run has no role, whatever it last was', () => {
    const dead = look({ state: 'stopped', role: 'leader', isLeaseHeld: true })
    expect(dead).toMatchObject({ role: undefined, isLeaseHeld: false, caption: 'down' })
    expect(dead.words).not.toContain('leader')
  })

  test('that failed tells why', () => {
    expect(look({ state: 'failed', failure: 'no space left' }).words).toContain('failed: no space left')
  })

  test('that campaigns shows its votes', () => {
    expect(look({ role: 'candidate', votes: [1, 3] }).votes?.granted).toBe(2)
    expect(look({ role: 'follower', votes: [1, 3] }).votes).toBeUndefined()
  })

  test('wears the faults of its disk and its clock, and not those of others', () => {
    const faults = [
      fault('slowDisk', { nodes: [1], figures: { flushMs: 1500 } }),
      fault('stallDisk', { nodes: [2] }),
      fault('skew', { nodes: [1], figures: { offsetMs: -50, drift: 0.1 } }),
    ]
    expect(look({}, faults).badges.map(({ text }) => text)).toEqual(['1.5 s', '−50 ms +10 %'])
  })
})
