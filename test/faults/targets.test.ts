/** The nodes that a verb means, and the line that is told of it. */
import { expect, test } from 'vitest'
import {
  type Cast,
  type Fault,
  lineOf,
  parseGroups,
  parseLink,
  parseTarget,
  resolveGroups,
  resolveTarget,
  resolveWays,
} from '../../src/faults/index.js'
import { Random } from '../../src/raft/index.js'

/** Five nodes, of which 2 leads and 5 is down. */
const cast: Cast = { nodeIds: [1, 2, 3, 4, 5], candidates: [1, 2, 3, 4], leaderId: 2, random: new Random(1) }

const targetOf = (text: string, of = cast) => resolveTarget(parseTarget(text), of)
const linkOf = (text: string, of = cast) =>
  resolveWays(parseLink(text), of).map(({ from, to }) => `${from}->${to}`)
const groupsOf = (text: string) => resolveGroups(parseGroups(text), cast)

test.each([
  ['3', [3]],
  ['5', [5]],
  ['1,3', [1, 3]],
  ['leader', [2]],
  ['leader,1', [2, 1]],
  ['followers', [1, 3, 4]],
  ['all', [1, 2, 3, 4]],
])('%s means the nodes %j', (text, nodeIds) => {
  expect(targetOf(text)).toEqual(nodeIds)
})

test('roles that leave a choice mean each of the nodes that run, by chance', () => {
  const drawn = (text: string) => {
    const all = Array.from({ length: 200 }, () => targetOf(text))
    return { sizes: new Set(all.map(({ length }) => length)), nodes: new Set(all.flat()) }
  }
  expect(drawn('any')).toEqual({ sizes: new Set([1]), nodes: new Set([1, 2, 3, 4]) })
  expect(drawn('follower')).toEqual({ sizes: new Set([1]), nodes: new Set([1, 3, 4]) })
  expect(drawn('minority')).toEqual({ sizes: new Set([2]), nodes: new Set([1, 2, 3, 4]) })
})

test.each([
  ['1->3', ['1->3']],
  ['1-3', ['1->3', '3->1']],
  ['leader->*', ['2->1', '2->3', '2->4', '2->5']],
  ['clients->leader', ['clients->2']],
  ['1-clients', ['1->clients', 'clients->1']],
  ['1,2->3', ['1->3', '2->3']],
])('%s means the ways %j', (text, ways) => {
  expect(linkOf(text)).toEqual(ways)
})

test('a link between two nodes by chance has two different ends', () => {
  for (let n = 0; n < 100; n++) {
    const [way = ''] = linkOf('any->any')
    expect(way).toMatch(/^(\d)->(?!\1)\d$/)
  }
})

test('a partition means its groups, and roles in them', () => {
  expect(groupsOf('1,2|3,4,5')).toEqual([
    [1, 2],
    [3, 4, 5],
  ])
  expect(groupsOf('leader|followers')).toEqual([[2], [1, 3, 4]])
})

const nobody: Cast = { ...cast, candidates: [], leaderId: undefined }

test.each<[string, () => unknown]>([
  ['target 9: there are the nodes 1, 2, 3, 4 and 5', () => targetOf('9')],
  ['target nobody: a target is the id of a node, or leader, followers', () => targetOf('nobody')],
  ["target '': a target is", () => targetOf('')],
  ['target none: no node is meant by it', () => resolveTarget([], cast)],
  ['target leader: no node leads at the moment', () => targetOf('leader', nobody)],
  ['target leader: node 2 leads, so it runs already', () => targetOf('leader', { ...cast, candidates: [5] })],
  [
    'or give the id of a node: node 1 failed: disk full',
    () => targetOf('leader', { ...nobody, failures: 'node 1 failed: disk full' }),
  ],
  ['target all: no node is meant by it at the moment', () => targetOf('all', nobody)],
  ['link 1->1: a link has two different ends', () => linkOf('1->1')],
  ['link leader-2: a link has two different ends', () => linkOf('leader-2')],
  ['link clients->clients: a link has two', () => linkOf('clients->clients')],
  ['link 1: 1->3 is the way from node 1 to node 3', () => linkOf('1')],
  ['link 1->: 1->3 is', () => linkOf('1->')],
  ['partition 1,2|2,3: it names node 2 twice', () => groupsOf('1,2|2,3')],
  ['partition 1,1|3: it names a node twice', () => groupsOf('1,1|3')],
  ['groups 1,2: 1,2|3,4,5 parts nodes', () => groupsOf('1,2')],
  ['target object: there are', () => resolveTarget({} as never, cast)],
])('refused in one line: %s', (line, resolve) => {
  expect(resolve).toThrow(line)
  expect(resolve).toThrow(expect.objectContaining({ code: 'INVALID_FAULT', mayHaveHappened: 'no' }))
})

test.each<[string, Fault]>([
  ['cut 1->3', { type: 'cut', ways: resolveWays(parseLink('1->3'), cast) }],
  ['cut 1-3', { type: 'cut', ways: resolveWays(parseLink('1-3'), cast) }],
  ['cut 2->*', { type: 'cut', ways: resolveWays(parseLink('leader->*'), cast) }],
  ['cut 2-*', { type: 'cut', ways: resolveWays(parseLink('2-*'), cast) }],
  ['cut *->2', { type: 'cut', ways: resolveWays(parseLink('*->2'), cast) }],
  ['cut *-*', { type: 'cut', ways: resolveWays(parseLink('*-*'), cast) }],
  ['cut *-clients', { type: 'cut', ways: resolveWays(parseLink('*-clients'), cast) }],
  ['cut 1,2->3,4', { type: 'cut', ways: resolveWays(parseLink('1,2->3,4'), cast) }],
  ['cut 3-1,2', { type: 'cut', ways: resolveWays(parseLink('3-1,2'), cast) }],
  [
    'cut 1->2 3->4',
    { type: 'cut', ways: [parseLink('1->2'), parseLink('3->4')].flatMap((l) => resolveWays(l, cast)) },
  ],
  [
    'drop 1->3 10% appendEntries',
    { type: 'drop', share: 0.1, messages: 'appendEntries', ways: [{ from: 1, to: 3 }] },
  ],
  ['delay 1->3 80ms jitter 20ms', { type: 'delay', delayMs: 80, jitterMs: 20, ways: [{ from: 1, to: 3 }] }],
  ['throttle 1->3 1MB/s', { type: 'throttle', bytesPerSecond: 1e6, ways: [{ from: 1, to: 3 }] }],
  ['partition 1,2|3', { type: 'partition', groups: [[1, 2], [3]] }],
  ['isolate 2', { type: 'isolate', nodes: [2] }],
  ['slow-disk 1,2 1.5s', { type: 'slowDisk', nodes: [1, 2], flushMs: 1500 }],
  ['full-disk 1 64kB', { type: 'fullDisk', nodes: [1], bytesLeft: 64_000 }],
  ['skew 1 +50ms', { type: 'skew', nodes: [1], offsetMs: 50, drift: 0 }],
  ['skew 1 -50ms +1%', { type: 'skew', nodes: [1], offsetMs: -50, drift: 0.01 }],
])('a fault is told as the line that a person would type: %s', (line, fault) => {
  expect(lineOf(fault, cast.nodeIds)).toBe(line)
  expect(lineOf(fault, cast.nodeIds, 10_000)).toBe(`${line} for 10s`)
})
