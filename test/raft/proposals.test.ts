import { describe, expect, test } from 'vitest'
import type { Role } from '../../src/raft/index.js'
import { frameOf, RaftNetwork } from '../../src/testing/index.js'
import { accepted, appendEntries, Bench, heartbeat } from './support/bench.js'

/** All that a refused request could have touched. */
function imageOf({ node, network }: Bench) {
  return { state: node.raft.dump(), entries: node.entries, inFlight: network.inFlight.length }
}

describe('who takes commands (§8)', () => {
  test.each<Role>(['follower', 'preCandidate', 'candidate'])(
    '[PR1][PR2] a %s takes none, and nothing changes',
    (role) => {
      const bench = new Bench({ log: [1] }).become(role)
      const before = imageOf(bench)
      expect(bench.node.propose('x')).toEqual({ code: 'notLeader', leaderId: undefined })
      expect(imageOf(bench)).toEqual(before)
    },
  )

  test('[PR1] a follower names the leader it follows, and none once it lost it', () => {
    const bench = new Bench()
    bench.receive(heartbeat({ from: 3, term: 2 }))
    expect(bench.node.propose('x')).toEqual({ code: 'notLeader', leaderId: 3 })
    bench.node.tick(40)
    expect(bench.node.propose('x')).toEqual({ code: 'notLeader', leaderId: undefined })
  })

  test('[PR2] an overloaded leader refuses, and nothing changes', () => {
    const bench = new Bench({ limits: { uncommittedBytesMax: 1 } }).become('leader')
    const before = imageOf(bench)
    expect(bench.node.propose('x')).toEqual({ code: 'overloaded', leaderId: 1 })
    expect(imageOf(bench)).toEqual(before)
  })

  test('[PR3][PR2] a malformed frame is refused, and nothing changes', () => {
    const bench = new Bench().become('leader')
    const { bytes } = frameOf('abc', 'de')
    const before = imageOf(bench)
    const malformed = [
      { bytes, count: 1 },
      { bytes, count: 3 },
      { bytes, count: 0 },
      { bytes, count: -1 },
      { bytes, count: 1.5 },
      { bytes, count: Number.NaN },
      { bytes: bytes.slice(0, -1), count: 2 },
      { bytes: Uint8Array.from([...bytes, 0]), count: 2 },
      { bytes: new Uint8Array(31), count: 1 },
      { bytes: new Uint8Array(0), count: 0 },
    ]
    for (const frame of malformed) {
      expect(bench.node.proposeFrame(frame), `${frame.count}`).toEqual({ code: 'malformed', leaderId: 1 })
    }
    expect(imageOf(bench)).toEqual(before)
    expect(bench.node.proposeFrame({ bytes, count: 2 })).toEqual({ first: { index: 2, term: 1 } })
  })
})

describe('what becomes of them', () => {
  test('[PR4] the answer is the place of the frame’s first command', () => {
    const bench = new Bench({ log: [1, 1] }).become('leader')
    expect(bench.node.propose('a', 'b', 'c')).toEqual({ first: { index: 4, term: 2 } })
    expect(bench.node.propose('d')).toEqual({ first: { index: 7, term: 2 } })
    expect(bench.node.step({ type: 'propose', frame: frameOf('e') })).toEqual({
      first: { index: 8, term: 2 },
    })
    expect(bench.node.entries.slice(3).map(({ index, command }) => `${index}${command}`)).toEqual([
      '4a',
      '5b',
      '6c',
      '7d',
      '8e',
    ])
  })

  test('[PR5] it happened once an entry with this very id is applied, and never when another is at its index', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    network.tick(2)
    const lasting = leader.propose('lasting')
    network.settle()
    network.isolate(1)
    const lost = leader.propose('lost')
    const next = network.elect(2)
    next.propose('other')
    network.heal()
    network.tick(4)
    const idOf = (answer: typeof lasting) => ('first' in answer ? answer.first : undefined)
    const at = (id = { index: 0, term: 0 }) =>
      leader.applied.find(({ index, term }) => index === id.index && term === id.term)
    expect(at(idOf(lasting))?.command).toBe('lasting')
    expect(idOf(lost)).toEqual({ index: 3, term: 1 })
    expect(at(idOf(lost))).toBe(undefined)
    expect(leader.applied.map(({ term }) => term)).toEqual([1, 1, 2, 2])
  })

  test('[PR5] a command whose leader is deposed may be applied all the same', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    leader.propose('maybe')
    network.deliver({ to: 2 })
    leader.crash()
    network.take()
    network.elect(2)
    network.tick(2)
    expect(network.node(3).applied.map(({ command }) => command)).toContain('maybe')
  })

  test('[EN1] the client’s own bytes are what is stored, sent and applied', () => {
    const bench = new Bench().become('leader')
    bench.receive(accepted(1))
    const frame = frameOf('abc')
    bench.node.proposeFrame(frame)
    const [run] = bench.state.log.slice(2, 2, 9999)
    expect(run?.bytes).toBe(frame.bytes)
    const [sent] = bench.replications()
    expect(sent?.entries[0]?.bytes).toEqual(frame.bytes)
    expect(bench.node.disk.entries.at(-1)?.bytes).toEqual(frame.bytes)
    const follower = new Bench({ term: 1 })
    follower.receive(appendEntries({ entries: bench.state.log.slice(1, 2, 9999) }))
    expect(follower.node.disk.entries.at(-1)?.bytes).toEqual(frame.bytes)
  })
})
