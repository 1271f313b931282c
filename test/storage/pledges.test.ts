import { appendFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  addPledge,
  MemoryDisk,
  newPledge,
  openMemoryStore,
  type Pledge,
  PledgedStore,
  type PledgePlace,
  PledgeSlot,
  readPledges,
  renewedPledge,
  writePledges,
} from '../../src/storage/index.js'
import { persistOf, runOf, snapshotOf, testMembership } from '../../src/testing/store-model.js'
import { newFolder } from './disks.js'

const begun: Pledge = {
  ...newPledge(1, 'first disk'),
  hasBegun: true,
  lives: ['start 1'],
  hardState: { currentTerm: 3, votedFor: 2 },
  held: { index: 5, term: 3 },
}

/** Remembers in order what was kept, and what was already on the disk by then. */
class NotedPlace implements PledgePlace {
  pledge: Pledge
  readonly notes: unknown[] = []
  readonly #flushed: () => unknown
  #lives = 0

  constructor(pledge: Pledge, flushed: () => unknown = () => undefined) {
    this.pledge = pledge
    this.#flushed = flushed
  }

  keep(pledge: Pledge, isPromise: boolean): void {
    this.notes.push({ ...pledge.hardState, held: pledge.held.index, isPromise, flushed: this.#flushed() })
    this.pledge = pledge
  }

  hold(index: number, term: number): void {
    this.keep({ ...this.pledge, held: { index, term } }, false)
  }

  newLife(): string {
    return `start ${++this.#lives}`
  }

  close(): void {}
}

/** A disk with five entries of term 3, on which the node voted for node 2. */
function usedDisk(pledge: Pledge): MemoryDisk {
  const disk = new MemoryDisk(testMembership)
  const { store } = openMemoryStore(
    disk,
    { defer: () => undefined, isQuick: true },
    new NotedPlace({ ...pledge, hasBegun: false }),
  )
  store.write(persistOf({ hardState: begun.hardState, entries: [runOf(1, 3, 5)] }), () => undefined)
  return disk
}

describe('[PL1] a disk that contradicts the pledge of its node is refused', () => {
  const open = (disk: MemoryDisk, pledge: Pledge) =>
    openMemoryStore(disk.copy(), { defer: () => undefined }, new NotedPlace(pledge))
  const fresh = newPledge(1, 'first disk')
  const empty = new MemoryDisk(testMembership)

  test.each<[string, MemoryDisk, Pledge, RegExp]>([
    ['an empty one', empty, begun, /missing or empty/],
    ['another one', usedDisk(newPledge(1, 'second disk')), begun, /another cluster/],
    ['one without a name', usedDisk(newPledge(1, undefined)), begun, /another cluster/],
    [
      'an earlier term',
      usedDisk(fresh),
      { ...begun, hardState: { currentTerm: 4, votedFor: undefined } },
      /older copy.*term 4/,
    ],
    [
      'another vote',
      usedDisk(fresh),
      { ...begun, hardState: { currentTerm: 3, votedFor: 1 } },
      /older copy.*voted for node 1/,
    ],
    [
      'fewer entries',
      usedDisk(fresh),
      { ...begun, held: { index: 6, term: 3 } },
      /older copy.*ends in entry 5.*entry 6/,
    ],
    [
      'an entry of another term where one was held',
      usedDisk(fresh),
      { ...begun, held: { index: 5, term: 2 } },
      /older copy.*entry 5 is of term 3/,
    ],
    ['a copy from before the last start', usedDisk(fresh), { ...begun, lives: ['start 2'] }, /last start/],
    ['a clone that was started elsewhere', usedDisk(fresh), { ...begun, lives: ['a', 'b'] }, /elsewhere/],
    ['one that was started, of a node that was not', usedDisk(fresh), { ...begun, lives: [] }, /elsewhere/],
  ])('%s', (_, disk, pledge, why) => {
    expect(() => open(disk, pledge)).toThrow(why)
    expect(() => open(disk, pledge)).toThrow(expect.objectContaining({ code: 'DISK_LOST' }))
  })

  test('and one that holds as much or more is not', () => {
    const disk = usedDisk(fresh)
    for (const pledge of [
      begun,
      { ...begun, held: { index: 4, term: 3 } },
      { ...begun, hardState: { currentTerm: 3, votedFor: undefined } },
      { ...begun, hardState: { currentTerm: 2, votedFor: 1 } },
      // A crash in the middle of a start leaves a pledge that knows the start before and that one.
      { ...begun, lives: ['start 1', 'start 2'] },
      { ...begun, lives: ['start 0', 'start 1'] },
    ])
      expect(open(disk, pledge).recovered.entries.length).toBeGreaterThan(0)
  })
})

test('[EL21] a renewed pledge begins in a later term than any in which the lost disk took part', () => {
  const renewed = renewedPledge(begun, 'second disk')
  expect(renewed).toMatchObject({ hasBegun: false, votesFromTerm: 4, held: { index: 0 } })
  const disk = new MemoryDisk(testMembership)
  const { recovered } = openMemoryStore(disk, { defer: () => undefined }, new NotedPlace(renewed))
  expect(recovered).toMatchObject({ hardState: { currentTerm: 4, votedFor: undefined }, votesFromTerm: 4 })
})

test('[EL21] the term from which a node may vote is kept on its disk', () => {
  const disk = new MemoryDisk(testMembership)
  const renewed = renewedPledge(begun, 'second disk')
  const place = new NotedPlace(renewed)
  openMemoryStore(disk, { defer: () => undefined }, place)
  disk.crash(0)
  const again = openMemoryStore(disk, { defer: () => undefined }, place)
  expect(again.recovered.votesFromTerm).toBe(4)
})

test('[PL4] each start has a name, which the directory knows before the disk carries it, and alone afterwards', () => {
  const lives: (readonly string[])[] = []
  const disk = new MemoryDisk(testMembership)
  const place = new NotedPlace(newPledge(1, 'first disk'))
  const keep = place.keep.bind(place)
  place.keep = (pledge, isPromise) => {
    expect(isPromise).toBe(true)
    lives.push(pledge.lives)
    keep(pledge, isPromise)
  }
  for (let start = 0; start < 2; start++) {
    openMemoryStore(disk, { defer: () => undefined }, place)
    disk.crash(0)
  }
  expect(lives).toEqual([['', 'start 1'], ['start 1'], ['start 1', 'start 2'], ['start 2']])
})

test('[PL4] a start that could not be kept in the directory can be repeated, whatever the disk carries by then', () => {
  for (const failing of [1, 2]) {
    const disk = usedDisk(newPledge(1, 'first disk'))
    disk.crash(0)
    const place = new NotedPlace(begun)
    const keep = place.keep.bind(place)
    let kept = 0
    place.keep = (pledge, isPromise) => {
      if (++kept === failing) throw new Error('no room')
      keep(pledge, isPromise)
    }
    expect(() => openMemoryStore(disk, { defer: () => undefined }, place)).toThrow('no room')
    disk.crash(0)
    expect(openMemoryStore(disk, { defer: () => undefined }, place).recovered.entries).toHaveLength(1)
  }
})

describe('a pledge', () => {
  /** What a store with these writes has kept, with how many writes were flushed by then. */
  function kept(...writes: readonly Parameters<typeof persistOf>[0][]): unknown[] {
    const disk = usedDisk(newPledge(1, 'first disk'))
    disk.crash(0)
    let flushed = 0
    const place = new NotedPlace(begun, () => flushed)
    const flushes: (() => void)[] = []
    const opened = openMemoryStore(disk, { defer: (flush) => void flushes.push(flush) }, place)
    place.notes.length = 0
    const store = new PledgedStore(opened.store, place)
    for (const parts of writes) {
      store.write(persistOf(parts), () => place.notes.push('told'))
      flushed++
      for (const flush of flushes.splice(0)) flush()
    }
    return place.notes
  }

  test('[PL2] is kept with each new term and vote, after the disk holds them and before anybody is told', () => {
    const hardState = { currentTerm: 4, votedFor: 3 }
    expect(kept({ hardState })).toEqual([{ ...hardState, held: 5, isPromise: true, flushed: 1 }, 'told'])
  })

  test('holds the last entry once it is on the disk, before anybody is told, and waits for no flush of its own', () => {
    const held = { ...begun.hardState, held: 7, isPromise: false, flushed: 1 }
    expect(kept({ entries: [runOf(6, 3, 2)] })).toEqual([held, 'told'])
  })

  test('[PL3] is lowered before entries are cut off, so that a crash in between does not miss them', () => {
    const lowered = { ...begun.hardState, held: 3, isPromise: true, flushed: 0 }
    expect(kept({ truncateFrom: 4 })).toEqual([lowered, 'told'])
    const again = { ...begun.hardState, held: 6, isPromise: false, flushed: 1 }
    expect(kept({ truncateFrom: 6, entries: [runOf(6, 3, 1)] })).toEqual([again, 'told'])
    expect(kept({ truncateFrom: 4, entries: [runOf(4, 3, 3)] })).toEqual([lowered, again, 'told'])
    const snapshot = snapshotOf(4, 3, 2)
    const chunk = { snapshot, offset: 0, data: new Uint8Array(2) }
    expect(kept({ snapshotChunks: [chunk], install: snapshot })).toEqual([
      { ...lowered, held: 4 },
      { ...again, held: 4 },
      'told',
    ])
  })

  test.each([
    ['vote', { hardState: { currentTerm: 4, votedFor: 3 } }],
    ['last entry', { entries: [runOf(6, 3, 2)] }],
  ])('[PL5] that cannot be kept ends the store before anybody is told of the %s', (_, parts) => {
    const place = new NotedPlace(begun)
    const disk = usedDisk(newPledge(1, 'first disk'))
    disk.crash(0)
    const { store } = openMemoryStore(disk, { defer: () => undefined, isQuick: true }, place)
    place.keep = () => {
      throw new Error('no room')
    }
    const told: (Error | undefined)[] = []
    new PledgedStore(store, place).write(persistOf(parts), (error) => told.push(error))
    expect(told).toMatchObject([{ message: expect.stringContaining('no room') }])
  })
})

describe('the file of pledges', () => {
  function pledgeFile(pledges: readonly Pledge[]): string {
    const folder = newFolder()
    mkdirSync(folder)
    const file = join(folder, 'pledges.jsonl')
    writePledges(file, pledges)
    return file
  }
  const three = [begun, newPledge(2, undefined), { ...newPledge(3, 'x'), votesFromTerm: 2 ** 53 - 1 }]

  test('gives back what was written, and each slot changes its own line only', () => {
    const file = pledgeFile(three)
    expect(readPledges(file)).toEqual(three)
    const slot = new PledgeSlot(file, 2)
    const changed = { ...begun, nodeId: 2 }
    slot.keep({ ...changed, held: { index: 2 ** 53 - 1, term: 2 ** 53 - 1 } }, true)
    slot.hold(changed.held.index, changed.held.term)
    slot.close()
    expect(readPledges(file)).toEqual([three[0], changed, three[2]])
    expect(new PledgeSlot(file, 2).pledge).toEqual(changed)
  })

  test('takes a further node beside open slots, and remembers that one was removed', () => {
    const file = pledgeFile(three)
    const open = new PledgeSlot(file, 3)
    addPledge(file, newPledge(4, 'fourth disk'))
    open.keep({ ...open.pledge, isRemoved: true }, true)
    open.close()
    expect(readPledges(file)).toEqual([
      ...three.slice(0, 2),
      { ...three[2], isRemoved: true },
      newPledge(4, 'fourth disk'),
    ])
  })

  test('forgets a node whose adding a power loss cut off', () => {
    const file = pledgeFile(three)
    for (const left of [512, 100]) {
      appendFileSync(file, Buffer.alloc(left))
      expect(readPledges(file)).toEqual(three)
      addPledge(file, newPledge(4, 'fourth disk'))
      expect(readPledges(file)).toHaveLength(4)
      truncateSync(file, 3 * 512)
    }
  })

  describe('notes what a node holds', () => {
    beforeEach(() => void vi.useFakeTimers())
    afterEach(() => void vi.useRealTimers())

    const heldIn = (file: string) => readPledges(file)[0]?.held.index

    test('at once, and what comes within ten milliseconds of a note when they are over', () => {
      const file = pledgeFile(three)
      const slot = new PledgeSlot(file, 1)
      slot.hold(6, 3)
      expect(heldIn(file)).toBe(6)
      slot.hold(7, 3)
      vi.advanceTimersByTime(9)
      slot.hold(8, 3)
      expect([slot.pledge.held.index, heldIn(file)]).toEqual([8, 6])
      vi.advanceTimersByTime(1)
      expect([heldIn(file), vi.getTimerCount()]).toEqual([8, 0])
      vi.advanceTimersByTime(10)
      slot.hold(9, 3)
      expect(heldIn(file)).toBe(9)
      slot.close()
    })

    test('at once when the pause is over, although a busy thread has run no timer', () => {
      const now = vi.spyOn(performance, 'now').mockReturnValue(100)
      const file = pledgeFile(three)
      const slot = new PledgeSlot(file, 1)
      slot.hold(6, 3)
      slot.hold(7, 3)
      now.mockReturnValue(110)
      slot.hold(8, 3)
      expect([heldIn(file), vi.getTimerCount()]).toEqual([8, 0])
      slot.close()
      now.mockRestore()
    })

    test('when its slot is closed', () => {
      const file = pledgeFile(three)
      const slot = new PledgeSlot(file, 1)
      slot.hold(6, 3)
      slot.hold(7, 3)
      slot.close()
      expect([heldIn(file), vi.getTimerCount()]).toEqual([7, 0])
    })

    test('with each promise, so that no note comes behind it', () => {
      const file = pledgeFile(three)
      const slot = new PledgeSlot(file, 1)
      slot.hold(6, 3)
      slot.hold(7, 3)
      slot.keep({ ...slot.pledge, held: { index: 2, term: 0 } }, true)
      expect([heldIn(file), vi.getTimerCount()]).toEqual([2, 0])
      slot.close()
    })
  })

  test('is a line for a person to read', () => {
    expect(readFileSync(pledgeFile(three), 'utf8').split('\n')[0]?.trimEnd()).toBe(
      '{"held":[5               ,3               ],"nodeId":1,"identity":"first disk","hasBegun":true,"lives":["start 1"],"votesFromTerm":0,"currentTerm":3,"votedFor":2}',
    )
  })

  test('[PL5] that was removed takes no promise', () => {
    const file = pledgeFile(three)
    const slot = new PledgeSlot(file, 1)
    rmSync(file)
    expect(() => slot.keep(begun, false)).toThrow('was removed')
    slot.close()
  })

  test.each([
    ['zeros', () => Buffer.alloc(3 * 512)],
    ['a slot of another node', (bytes: Buffer) => Buffer.concat([bytes.subarray(512)])],
    [
      'a number that is none',
      (bytes: Buffer) => Buffer.from(bytes.toString().replace('"held":[5', '"held":["')),
    ],
    ['half a slot', (bytes: Buffer) => bytes.subarray(0, 100)],
  ])('[PL5] that is damaged is refused: %s', (_, damage) => {
    const file = pledgeFile(three)
    writeFileSync(file, damage(readFileSync(file)))
    expect(() => readPledges(file)).toThrow(/remembers of node \d is damaged/)
    expect(() => new PledgeSlot(file, 1)).toThrow(/remembers of node 1 is damaged/)
  })
})
