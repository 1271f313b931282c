import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Life, RecordingFile, Replay } from '../../src/recording/index.js'
import { simulate } from '../../src/sim/index.js'
import { convergedHashes, startedCluster, temporaryFolder } from '../cluster/support.js'

const head = '{"recording":"raftbox","version":1}'

function recordingOf(seed: number): string[] {
  const lines = [head]
  simulate({ seed, record: (line) => lines.push(line) })
  return lines
}

function replayed(lines: readonly string[]): readonly Life[] {
  const replay = new Replay()
  for (const [at, line] of lines.entries()) replay.take(at + 1, line)
  return replay.lives
}

/** Lives that ended otherwise than was recorded, or broke an invariant. */
function wrong(lives: readonly Life[]): Life[] {
  return lives.filter(
    ({ hash, recordedHash, violation }) =>
      violation !== undefined || (recordedHash !== undefined && recordedHash !== hash),
  )
}

describe('a simulated run', () => {
  test.each([1, 2, 3, 42])('of seed %i comes to the same states again, life by life', (seed) => {
    const lives = replayed(recordingOf(seed))
    expect(wrong(lives)).toEqual([])
    expect(lives.every(({ recordedHash }) => recordedHash !== undefined)).toBe(true)
    expect(lives.some(({ commitIndex }) => commitIndex > 10)).toBe(true)
  })

  test('is the same run whether it is recorded or not', () => {
    const { fingerprint } = simulate({ seed: 5 })
    expect(simulate({ seed: 5, record: () => undefined }).fingerprint).toBe(fingerprint)
  })

  test('and its recording is the same, to the byte, each time', () => {
    expect(recordingOf(6)).toEqual(recordingOf(6))
  })

  test('without its end runs as far as it goes', () => {
    const lines = recordingOf(2)
    for (const kept of [1, 2, 100, 1000, lines.length - 1]) {
      const lives = replayed(lines.slice(0, kept))
      expect(wrong(lives)).toEqual([])
      expect(lives.reduce((sum, { inputs }) => sum + inputs, 0)).toBeLessThan(kept)
    }
  })
})

describe('a recording that ends before the run', () => {
  function recordedUpTo(path: string, bytesMax?: number): { said: string[]; taken: number } {
    const said: string[] = []
    const file = new RecordingFile(path, { stopped: (why) => said.push(why), ...(bytesMax && { bytesMax }) })
    let taken = 0
    simulate({ seed: 2, record: (line) => void (file.write(line) && taken++) })
    file.close()
    return { said, taken }
  }

  test('since it is full says so in its last line and once to its maker, and repeats up to there', () => {
    const path = join(temporaryFolder(), 'run.jsonl')
    const { said, taken } = recordedUpTo(path, 600_000)
    expect(said).toEqual(['it may have 600000 bytes'])
    expect(statSync(path).size).toBeLessThan(600_100)
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    expect(lines.at(-1)).toBe('{"stops":"it may have 600000 bytes"}')
    expect(taken).toBeGreaterThan(1000)
    const replay = new Replay()
    for (const [at, line] of lines.entries()) replay.take(at + 1, line)
    expect(replay.stops).toBe('it may have 600000 bytes')
    expect(wrong(replay.lives)).toEqual([])
    expect(() => replay.take(9, '{"node":1,"told":{"type":"tick"}}')).toThrow('follows the end')
  })

  test('since there was no room for its first piece has a head and says so', () => {
    const path = join(temporaryFolder(), 'run.jsonl')
    expect(recordedUpTo(path, 1000).said).toEqual(['it may have 1000 bytes'])
    const replay = new Replay()
    for (const [at, line] of readFileSync(path, 'utf8').trimEnd().split('\n').entries())
      replay.take(at + 1, line)
    expect([replay.lives, replay.stops]).toEqual([[], 'it may have 1000 bytes'])
  })

  test.runIf(existsSync('/dev/full'))(
    'since its disk is full tells its maker once, and throws nothing',
    () => {
      expect(recordedUpTo('/dev/full').said).toEqual([expect.stringContaining('ENOSPC')])
      const file = new RecordingFile('/dev/full')
      expect(() => file.close(), 'unless nobody is to be told').toThrow('ENOSPC')
    },
  )

  test('does not end its node, nor keep it from starting', async () => {
    const recordDir = temporaryFolder()
    const warnings: string[] = []
    const hear = ({ message }: Error) => void warnings.push(message)
    process.on('warning', hear)
    onTestFinished(() => void process.off('warning', hear))
    const cluster = await startedCluster({ host: 'inline', recordDir })
    const killed = await cluster.kill(1)
    rmSync(recordDir, { recursive: true })
    await cluster.restart(killed)
    await cluster.put('after', 'all')
    expect(cluster.status().map(({ state }) => state)).toEqual(['running', 'running', 'running'])
    expect(warnings.filter((line) => line.startsWith('the recording of node'))).toEqual([
      expect.stringMatching(
        new RegExp(
          `^the recording of node ${killed} cannot be written, and the node goes on without it: ENOENT`,
        ),
      ),
    ])
  })
})

describe('what was changed', () => {
  const lines = recordingOf(42)
  const toldAt = (part: string, from = 0): number =>
    lines.findIndex((line, at) => at >= from && line.includes(part))

  test.each([
    ['a tick is left out', '"type":"tick"', () => []],
    [
      'a vote is refused',
      '"type":"requestVoteResponse"',
      (line: string) => [line.replace('"voteGranted":true', '"voteGranted":false')],
    ],
    [
      'a message comes from another node',
      '"type":"appendEntriesResponse"',
      (line: string) => [line.replace(/"from":\d/, '"from":3')],
    ],
    [
      'a command is another',
      '"type":"propose"',
      (line: string) => [
        line.replace(/"\$bytes":"([^"]*)"/, (_, text: string) => `"$bytes":"${flipped(text)}"`),
      ],
    ],
  ] as const)('is noticed: %s', (_, part, change) => {
    // Somewhere in the midst of the run each kind of change matters. That one of them makes no difference is possible.
    const places: number[] = []
    for (let at = toldAt(part); at > 0 && places.length < 200; at = toldAt(part, at + 1)) places.push(at)
    expect(places.length).toBeGreaterThan(0)
    const noticed = places.some((at) => {
      const line = lines[at] ?? ''
      return isNoticed([...lines.slice(0, at), ...change(line), ...lines.slice(at + 1)])
    })
    expect(noticed).toBe(true)
  })

  test('is noticed: a hash', () => {
    const changed = lines.map((line) => line.replace(/"ends":"./, '"ends":"x'))
    expect(wrong(replayed(changed)).length).toBe(
      lines.length - lines.filter((line) => !line.includes('"ends"')).length,
    )
  })

  test('an invariant that is broken is told with its line, and the life ends there', () => {
    const at = toldAt('"type":"flushed"')
    const [line = ''] = lines.slice(at)
    const lives = replayed([...lines.slice(0, at), line, ...lines.slice(at)])
    expect(wrong(lives)).toMatchObject([
      { violation: { line: at + 2, invariant: 'writes are flushed in order, each once' } },
    ])
  })
})

/** The last byte of a command is another. */
function flipped(base64: string): string {
  const bytes = Buffer.from(base64, 'base64')
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  return bytes.toString('base64')
}

function isNoticed(lines: readonly string[]): boolean {
  return wrong(replayed(lines)).length > 0
}

describe('what is no line of a recording', () => {
  const begins = recordingOf(42)[1] ?? ''
  test.each([
    ['not JSON', [head, '{"node":1,']],
    ['not an object', [head, '[1]']],
    ['not the head of a recording', ['{"name":"x"}']],
    ['of version 2', ['{"recording":"raftbox","version":2}']],
    ['names no node', [head, '{"node":"1","told":{"type":"tick"}}']],
    ['has not begun', [head, '{"node":1,"told":{"type":"tick"}}']],
    ['has not begun', [head, '{"node":1,"ends":"0"}']],
    ['neither a beginning', [head, '{"node":1}']],
    ['how a node begins', [head, '{"node":1,"begins":{"id":1}}']],
    ['how a node begins', [head, '{"node":1,"begins":null}']],
    ['of node 1 as 2', [head, begins.replace('"node":1', '"node":2')]],
    ['the unknown type "toString"', [head, begins, '{"node":1,"told":{"type":"toString"}}']],
    ['does not tell a message', [head, begins, '{"node":1,"told":{"type":"message"}}']],
    ['without its hash', [head, begins, '{"node":1,"ends":7}']],
  ])('is refused, and why: %s', (why, lines) => {
    expect(() => replayed(lines)).toThrow(why)
    expect(() => replayed(lines)).toThrow(expect.objectContaining({ name: 'BadLine' }))
  })
})

describe.each(['threads', 'inline'] as const)('nodes on %s', (host) => {
  test('record all lives of a cluster, and each comes to the same state again', async () => {
    const recordDir = temporaryFolder()
    const cluster = await startedCluster({ host, recordDir, heartbeatIntervalMs: 10, logBytesMax: 65_536 })
    const put = (at: number) => cluster.put(`key ${at}`, 'x'.repeat(4000))
    await Promise.all(Array.from({ length: 60 }, (_, at) => put(at)))
    const leader = cluster.status().find(({ role }) => role === 'leader')?.nodeId ?? 1
    await cluster.kill(leader)
    await Promise.all(Array.from({ length: 20 }, (_, at) => put(at)))
    await cluster.restart(leader)
    await cluster.get('key 1')
    expect((await convergedHashes(cluster)).size).toBe(1)
    await cluster.close()
    const files = readdirSync(recordDir)
    expect(files.length).toBe(4)
    for (const file of files) {
      const lives = replayed(readFileSync(join(recordDir, file), 'utf8').trimEnd().split('\n'))
      expect(lives.length).toBe(1)
      expect(wrong(lives)).toEqual([])
      expect(lives[0]).toMatchObject({ recordedHash: expect.any(String) as string })
      expect(lives[0]?.commitIndex).toBeGreaterThan(0)
    }
  })
})
