/** The tour over frames made by hand: each step waits for what it says, and all is put back. */
import { expect, test } from 'vitest'
import type { Frame, NodeFrame } from '../../src/observer/index.js'
import {
  beginTour,
  sceneOf,
  stepOf,
  type Tour,
  turned,
  undoLines,
  whyNoTour,
  withAnswered,
  withBegun,
  withFrame,
} from '../../src/page/tour.js'
import { tourSteps } from '../../src/page/tour-steps.js'
import { madeFrame, madeNode } from './made-frames.js'

let number = 0

/** A frame of three nodes that follow the leader, each with so many entries, all of them committed. */
function frame(told: Partial<Frame> & { entries?: number; nodes?: readonly NodeFrame[] } = {}): Frame {
  const { entries = 3, leaderId = 1 } = told
  const nodes = [1, 2, 3].map((nodeId) => node(nodeId, entries, { leaderId }))
  number++
  return madeFrame(number, number * 100, { nodes, ...told })
}

function node(nodeId: number, entries: number, told: Partial<NodeFrame> = {}): NodeFrame {
  const indexes = { lastIndex: entries, flushedIndex: entries, commitIndex: entries, lastApplied: entries }
  return madeNode(nodeId, { ...indexes, ...told })
}

function fault(line: string, type: string, to: number) {
  return {
    ...{ id: 7, type, line, nodes: [to], messages: undefined, figures: {} },
    ...{ ways: [{ from: 1, to }], sinceMs: 0, untilMs: undefined },
  }
}

/** The tour at the step with this title, begun on a cluster in which all is well. */
function at(title: string, now = frame()): Tour {
  let tour = withFrame(beginTour(frame()), now)
  while (stepOf(tour).title !== title) tour = turned(tour, 1)
  return tour
}

function doIt(tour: Tour): Tour {
  return withBegun(tour, stepOf(tour).line?.(sceneOf(tour)) ?? '')
}

function answer(tour: Tour, index: number): Tour {
  return withAnswered(doIt(tour), stepOf(tour).line?.(sceneOf(tour)) ?? '', index)
}

test('three voters that run are needed', () => {
  expect(whyNoTour(frame())).toBeUndefined()
  expect(whyNoTour(frame({ nodes: [node(1, 0), node(2, 0)] }))).toMatch(/three voters/)
  expect(whyNoTour(frame({ nodes: [node(1, 0), node(2, 0), node(3, 0, { member: 'learner' })] }))).toMatch(
    /three/,
  )
})

test('a leader is waited for', () => {
  const waiting = at('A leader', frame({ leaderId: undefined }))
  expect(waiting.isSeen).toBe(false)
  expect(withFrame(waiting, frame()).isSeen).toBe(true)
})

test('a heartbeat is waited for, and once it was seen the step stays so', () => {
  const message = {
    id: 1,
    from: 1,
    to: 2,
    type: 'heartbeat',
    term: 1,
    mark: 1,
    isYes: undefined,
    sentAtMs: 1,
  } as const
  const waiting = at('A heartbeat')
  expect(withFrame(waiting, frame({ messages: [{ ...message, from: 2 }] })).isSeen).toBe(false)
  const seen = withFrame(waiting, frame({ messages: [message] }))
  expect(withFrame(seen, frame()).isSeen).toBe(true)
})

test('a command counts once it is answered, and the entry is its own, however many others the load commits', () => {
  const waiting = at('A command')
  expect(withFrame(waiting, frame({ entries: 4 })).isSeen).toBe(false)
  expect(withFrame(doIt(waiting), frame({ entries: 9 })).isSeen).toBe(false)
  expect(withFrame(answer(waiting, 5), frame({ entries: 4 })).isSeen).toBe(false)
  const seen = withFrame(answer(waiting, 5), frame({ entries: 9 }))
  expect(seen.isSeen).toBe(true)
  expect(stepOf(seen).seen(sceneOf(seen))).toBe('Entry 5 is committed.')
  expect(stepOf(seen).question?.(sceneOf(seen))).toEqual({ about: 'index', index: 5 })
})

test('an answer that comes after the frame with its entry ends the step too', () => {
  expect(answer(withFrame(at('A command'), frame({ entries: 9 })), 5).isSeen).toBe(true)
})

test('the leader is killed, and a leader of a later term is waited for', () => {
  const waiting = at('A vote')
  expect(stepOf(waiting).line?.(sceneOf(waiting))).toBe('kill 1 for 120s')
  const dead = node(1, 3, { state: 'stopped' })
  expect(withFrame(waiting, frame({ leaderId: undefined })).isSeen).toBe(false)
  expect(withFrame(waiting, frame({ leaderId: 1 })).isSeen).toBe(false)
  const next = [dead, node(2, 4, { role: 'leader', currentTerm: 2, leaderId: 2 }), node(3, 4)]
  const seen = withFrame(waiting, frame({ leaderId: 2, nodes: next }))
  expect(seen.isSeen).toBe(true)
  const question = stepOf(seen).question?.(sceneOf(seen))
  expect(question).toEqual({ about: 'election', term: 2 })
})

test('the node that was killed has to follow, with all that was committed', () => {
  const waiting = turned(at('A vote'), 1)
  expect(stepOf(waiting).line?.(sceneOf(waiting))).toBe('restart 1')
  const back = (told: Partial<NodeFrame>) =>
    frame({ leaderId: 2, nodes: [node(1, 3, { leaderId: 2, ...told }), node(2, 3), node(3, 3)] })
  expect(withFrame(waiting, back({ state: 'stopped' })).isSeen).toBe(false)
  expect(withFrame(waiting, back({ leaderId: undefined })).isSeen).toBe(false)
  expect(withFrame(waiting, back({ commitIndex: 1 })).isSeen).toBe(false)
  expect(withFrame(waiting, back({})).isSeen).toBe(true)
})

test('a link is cut, the log behind it stays behind, and heals', () => {
  let tour = at('A lost link')
  expect(stepOf(tour).line?.(sceneOf(tour))).toBe('cut 1-3 for 120s')
  const faults = [fault('cut 1-3 for 120s', 'cut', 3)]
  const lonely = (entries: number) => [
    node(1, entries),
    node(2, entries),
    node(3, 3, { leaderId: undefined, role: 'preCandidate' }),
  ]
  expect(withFrame(tour, frame({ faults })).isSeen).toBe(false)
  tour = withFrame(tour, frame({ faults, nodes: lonely(3) }))
  expect(tour.isSeen).toBe(true)

  tour = answer(turned(tour, 1), 4)
  expect(withFrame(tour, frame({ entries: 4 })).isSeen).toBe(false)
  tour = withFrame(tour, frame({ faults, nodes: lonely(4) }))
  expect(tour.isSeen).toBe(true)

  tour = turned(tour, 1)
  expect(stepOf(tour).line?.(sceneOf(tour))).toBe('heal 1-3')
  expect(withFrame(tour, frame({ faults, entries: 4 })).isSeen).toBe(false)
  expect(withFrame(tour, frame({ nodes: [node(1, 4), node(2, 4), node(3, 3)] })).isSeen).toBe(false)
  expect(withFrame(tour, frame({ entries: 4 })).isSeen).toBe(true)
})

test('a step that begins while no node leads finds its nodes once one does, and names no node until then', () => {
  const leaderless = frame({ leaderId: undefined, nodes: [] })
  for (const title of ['A vote', 'A lost link']) {
    let tour = withFrame(beginTour(leaderless), leaderless)
    while (stepOf(tour).title !== title) tour = turned(tour, 1)
    expect(stepOf(tour).words(sceneOf(tour)).join()).not.toMatch('undefined')
    tour = withFrame(tour, frame())
    const line = stepOf(tour).line?.(sceneOf(tour))
    expect(line).toMatch(title === 'A vote' ? /^kill 1 / : /^cut 1-3 /)
    // Another leader takes no part in the step.
    tour = withFrame(tour, frame({ leaderId: 2 }))
    expect(stepOf(tour).line?.(sceneOf(tour))).toBe(line)
  }
})

test('leaving heals the faults of the tour and no others, and takes its key away', () => {
  const standing = [fault('kill 1 for 120s', 'kill', 1), { ...fault('cut 2-3', 'cut', 3), id: 8 }]
  let tour = doIt(at('A command'))
  while (stepOf(tour).title !== 'A vote') tour = turned(tour, 1)
  tour = withFrame(doIt(tour), frame({ faults: standing }))
  expect(undoLines(tour)).toEqual(['heal #7', 'delete raftbox-tour'])
  expect(undoLines(beginTour(frame({ faults: standing })))).toEqual([])
})

test('each step can be left forward and backward, also where nothing of it has come about', () => {
  let tour = beginTour(frame({ leaderId: undefined, nodes: [] }))
  for (const step of tourSteps) {
    expect(stepOf(tour)).toBe(step)
    const scene = sceneOf(tour)
    expect(step.words(scene).length).toBeGreaterThan(0)
    expect(step.words(scene).join()).not.toMatch('undefined')
    tour = turned(tour, 1)
  }
  expect(turned(tour, 1).at).toBe(tourSteps.length - 1)
  expect(turned(beginTour(frame()), -1).at).toBe(0)
})
