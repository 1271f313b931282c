import type { Profiler } from 'node:inspector'
import { describe, expect, test } from 'vitest'
import { doctorFigures, seemsIdle } from '../../bench/profile/doctor-figures.js'
import { indexPage, titled } from '../../bench/profile/index-page.js'
import { busyShare, hottest, missingRooms, ownFunctions } from '../../bench/profile/self-time.js'
import { profileThreads } from '../../bench/profile/threads.js'

const empty: Profiler.Profile = { nodes: [], startTime: 0, endTime: 0, samples: [], timeDeltas: [] }

function node(id: number, functionName: string, url = '', children: number[] = []): Profiler.ProfileNode {
  const callFrame = { functionName, url, scriptId: '1', lineNumber: 6, columnNumber: 1 }
  return { id, callFrame, children }
}

/** 10 ms: idle for 4, in `step` for 3 in two places of the tree, in native code that it called for 2, in a package for 1. */
const profile: Profiler.Profile = {
  nodes: [
    node(1, '(root)', '', [2, 3, 4]),
    node(2, '(idle)'),
    node(3, 'step', 'file:///x/dist/src/raft/raft.js', [5]),
    node(4, '', 'file:///x/node_modules/@a/b/c.js', [6]),
    node(5, ''),
    node(6, 'step', 'file:///x/dist/src/raft/raft.js'),
  ],
  startTime: 0,
  endTime: 10_000,
  samples: [2, 3, 5, 6, 4],
  timeDeltas: [77, 4000, 1000, 2000, 2000, 1000],
}

describe('figures of a profile', () => {
  test('self time is added up by function, the hottest first, and native code is told by its caller', () => {
    expect(hottest(profile, 9)).toEqual([
      { name: 'step', place: 'src/raft/raft.ts', share: 0.3 },
      { name: 'native code in step', place: 'from src/raft/raft.ts', share: 0.2 },
      { name: '(anonymous)', place: '@a/b', share: 0.1 },
    ])
    expect(hottest(profile, 1)).toHaveLength(1)
    expect(busyShare(profile)).toBeCloseTo(0.6)
  })

  test('of an empty profile there is nothing to tell', () => {
    expect(hottest(empty, 9)).toEqual([])
    expect(busyShare(empty)).toBe(0)
  })
})

describe('the check of a page', () => {
  const flame = '{"name":"takeReady file:///x/dist/src/raft/raft.js:41:14","fileName":"y"}'
  const zerox = '{"children":[],"name":"#send file:///x/dist/src/driver/driver.js:40","top":1}'

  test("functions of clinic's and of 0x's pages are found", () => {
    expect(ownFunctions(flame + zerox)).toEqual([
      { room: 'raft', name: 'takeReady' },
      { room: 'driver', name: '#send' },
    ])
    expect(missingRooms(flame + zerox, ['driver', 'raft'])).toEqual([])
  })

  test.each([
    ['an empty page', ''],
    ['a page of an idle thread', '"name":"(idle)","name":"processTimers node:internal/timers:500"'],
    ["a page of somebody else's program", '"name":"step file:///x/node_modules/y/raft/raft.js:1"'],
    ['a page that only names the file', '"fileName":"file:///x/dist/src/raft/raft.js"'],
  ])('%s fails it', (_, page) => {
    expect(missingRooms(page, ['driver', 'raft'])).toEqual(['driver', 'raft'])
  })

  test('a page without one of the rooms fails it', () => {
    expect(missingRooms(flame, ['driver', 'raft'])).toEqual(['driver'])
  })
})

describe('the page of clinic doctor', () => {
  const pageOf = (processStat: object[]): string =>
    `<script type="application/json" id="clinic-data">${JSON.stringify({ processStat, analysis: { issueCategory: 'io' } })}</script>`
  const samples = (loopUtilization: number, seconds: number): object[] =>
    Array.from({ length: 10 * seconds + 1 }, (_, at) => ({
      timestamp: 1000 + at * 100,
      delay: 2,
      cpu: 1,
      loopUtilization,
    }))

  test('its samples are read, and one that saw the load passes', () => {
    const figures = doctorFigures(pageOf(samples(90, 6)))
    expect(figures).toEqual({
      samples: 61,
      seconds: 6,
      cpu: 1,
      loopUtilization: 90,
      delayMs: 2,
      verdict: 'io',
    })
    expect(seemsIdle(figures!, 5)).toBeUndefined()
  })

  test('one without samples, a short one and one of an idle loop fail', () => {
    expect(doctorFigures('<html></html>')).toBeUndefined()
    expect(doctorFigures(pageOf([]))).toBeUndefined()
    expect(seemsIdle(doctorFigures(pageOf(samples(90, 3)))!, 5)).toContain('3.0 s')
    expect(seemsIdle(doctorFigures(pageOf(samples(10, 6)))!, 5)).toContain('10 %')
  })
})

test('each thread of a cluster is profiled under its own name, with its role', async () => {
  const seen = new Set<string>()
  const wanted = [
    // Only nodes run the driver, only the leader answers clients, and only the main thread holds them.
    ...['node 1', 'node 2', 'node 3'].map((thread) => `${thread}: driver/driver.js`),
    'leader: postSettlements',
    'clients: postRequests',
    'main: load/clients.js',
  ]
  // A profile is a sample: on a busy machine, a short one may miss a function that runs seldom.
  do {
    const { threads, commitsPerSecond } = await profileThreads(64, 1, new AbortController().signal)
    expect(threads.map(({ thread }) => thread)).toEqual(['node 1', 'node 2', 'node 3', 'main'])
    expect(threads.map(({ role }) => role).sort()).toEqual(['clients', 'follower', 'follower', 'leader'])
    expect(commitsPerSecond).toBeGreaterThan(0)
    for (const { thread, role, profile: ofThread } of threads) {
      for (const { callFrame } of ofThread.nodes) {
        const file = /[^/]+\/[^/]+$/.exec(callFrame.url)?.[0] ?? ''
        if (['driver/driver.js', 'load/clients.js'].includes(file)) seen.add(`${thread}: ${file}`)
        const { functionName } = callFrame
        if (['postSettlements', 'postRequests'].includes(functionName)) seen.add(`${role}: ${functionName}`)
      }
    }
    expect(wanted).toEqual(expect.arrayContaining([...seen]))
  } while (seen.size < wanted.length)
})

test('the index names threads and roles, and escapes what it is given', () => {
  const page = indexPage({
    takenAt: '2026-01-01',
    machine: 'a <fast> one',
    inlineFile: 'inline.html',
    inlineClients: 7,
    runs: [
      {
        clients: 64,
        seconds: 5,
        commitsPerSecond: 1234.4,
        threads: [
          {
            thread: 'node 2',
            role: 'leader',
            file: '64-clients/node-2.html',
            busy: 0.505,
            hottest: [{ name: '<anonymous>', place: 'a & b', share: 0.25 }],
          },
        ],
      },
    ],
  })
  expect(page).toContain('<a href="64-clients/node-2.html">node 2, leader</a>: busy 50.5 % of the time')
  expect(page).toContain(
    '<td>25.0 %</td><td><code>&lt;anonymous&gt;</code></td><td><code>a &amp; b</code></td>',
  )
  expect(page).toContain('1,234 commits a second')
  expect(page).toContain('a &lt;fast&gt; one')
})

test('a page gets a title, whatever it is called', () => {
  expect(titled('<html><head><meta></head>', "a & b $& $'")).toBe(
    '<html><head>\n<title>a &amp; b $&amp; $&#39;</title><meta></head>',
  )
})
