/** The examples of the guides, run as they are written. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Cluster, StateMachine } from '../../src/cluster/index.js'
import { loadMachine, ResultBuilder } from '../../src/machine/index.js'
import { packCommands } from '../../src/raft/index.js'
import { convergedHashes, startedCluster, temporaryFolder } from '../cluster/support.js'

const ledgers = {
  TypeScript: fileURLToPath(new URL('../../docs/examples/ledger.js', import.meta.url)),
  JavaScript: resolve('docs/examples/ledger.mjs'),
}

/** The output of an example, which ends without an error. */
function outputOf(example: string, ...args: string[]): string {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    // A busy machine is nothing of the example.
    ['--disable-warning=RaftboxWarning', resolve('docs/examples', example), ...args],
    {
      encoding: 'utf8',
      timeout: 50_000,
    },
  )
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
  return stdout
}

const command = (fields: object) => Buffer.from(JSON.stringify(fields))

test('the first program of the README runs', () => {
  const printed = outputOf('first.mjs', join(temporaryFolder(), 'data'))
  expect(printed).toMatch(/type: 'killed'[\s\S]*^green$/m)
})

test('the program that watches the counters runs', () => {
  expect(outputOf('watch.mjs')).toMatch(/^(node \d: \w+, applied up to \d+, \d+ flushes\n){3}$/)
})

test('the program of the guide to testing keeps its promise while its cluster is broken', () => {
  const tests = resolve('docs/examples/tickets.test.mjs')
  const ended = spawnSync(process.execPath, ['--test', tests], { encoding: 'utf8', timeout: 100_000 })
  expect(ended.stdout).toMatch(/pass 5\n/)
  expect(ended.status).toBe(0)
}, 120_000)

test('the program of the guide to etcd keeps its promise while the etcd below it is broken', () => {
  const tests = resolve('docs/examples/visits.test.mjs')
  const ended = spawnSync(process.execPath, ['--test', tests], { encoding: 'utf8', timeout: 100_000 })
  expect(ended.stdout).toMatch(/pass 3\n/)
  expect(ended.status).toBe(0)
}, 120_000)

test('the store with a cache is found out', () => {
  expect(outputOf('check.mjs')).toBe(
    'not-linearizable\nreader: get "color" → "blue"\nwriter: put "color" "green"\nreader: get "color" → "blue"\n',
  )
})

test('the model of a queue tells a right history from a wrong one', () => {
  expect(outputOf('queue.mjs')).toBe('linearizable\nnot-linearizable\n')
})

test('the program that traces its commands runs', () => {
  const file = join(temporaryFolder(), 'traces.jsonl')
  expect(outputOf('traces.mjs', file)).toMatch(/callsDropped: 0,\s+spansSent: \d+,\s+spansDropped: 0/)
  expect(readFileSync(file, 'utf8')).toContain('"traceId":"0af7651916cd43dd8448eb211c80319c"')
})

async function balanceOf(cluster: Cluster, name: string): Promise<number> {
  return Number(await cluster.query(Buffer.from(name)))
}

/** Deposits so much that a node takes a snapshot of the ledger, and something behind it. */
async function depositUntilSnapshot(cluster: Cluster): Promise<number> {
  let cents = 0
  const deposit = async () => {
    await cluster.propose(command({ type: 'deposit', to: 'ada of the Lovelaces', cents: 1 }))
    cents++
  }
  while (cluster.status().some(({ snapshotIndex }) => snapshotIndex === 0)) await deposit()
  await deposit()
  return cents
}

describe.each(Object.entries(ledgers))('the ledger in %s', (_, path) => {
  const machine = pathToFileURL(path)
  const newLedger = async (): Promise<StateMachine> => (await loadMachine(machine))()

  test('runs in the program of the guide', () => {
    const printed = outputOf('pay.mjs', path, join(temporaryFolder(), 'data'))
    expect(printed).toBe("[ 'done', 'done' ]\nbob has 200\n")
  })

  test('comes out of a snapshot as it went in, however the pieces are cut, and without what came later', async () => {
    const ledger = await newLedger()
    const deposits = Array.from({ length: 2500 }, (_, at) =>
      command({ type: 'deposit', to: `Zoë ${at}`, cents: at + 1 }),
    )
    ledger.apply({ index: 1, term: 1, timeMs: 0, ...packCommands(deposits) }, undefined)
    const hash = ledger.hash()
    const pieces = ledger.snapshot()
    const pulled = [pieces.next().value as Uint8Array]
    const later = command({ type: 'transfer', from: 'Zoë 2499', to: 'Zoë 0', cents: 7 })
    ledger.apply({ index: 2501, term: 1, timeMs: 0, ...packCommands([later]) }, undefined)
    for (let next = pieces.next(); next.done !== true; next = pieces.next()) pulled.push(next.value)
    expect(pulled.length).toBeGreaterThan(1)
    expect(ledger.hash()).not.toBe(hash)
    const bytes = Buffer.concat(pulled)
    const cut = Array.from({ length: Math.ceil(bytes.length / 777) }, (_, at) =>
      bytes.subarray(at * 777, at * 777 + 777),
    )
    const restored = await newLedger()
    restored.restore(cut)
    expect(restored.hash()).toBe(hash)
  })

  test('goes on in a directory of its first release, behind a snapshot and with commands after it', async () => {
    const dir = temporaryFolder()
    const release1 = pathToFileURL('test/docs/fixtures/ledger-of-release-1.mjs')
    const old = await startedCluster({ dir, machine: release1, logBytesMax: 4096 })
    const cents = await depositUntilSnapshot(old)
    await old.close()
    const cluster = await startedCluster({ dir, machine, logBytesMax: 4096 })
    expect(await balanceOf(cluster, 'ada of the Lovelaces')).toBe(cents)
    const moved = command({ type: 'transfer', from: 'ada of the Lovelaces', to: 'bob', cents })
    expect((await cluster.propose([moved, moved])).results.map(String)).toEqual([
      'done',
      'refused: not enough money',
    ])
    expect(await balanceOf(cluster, 'bob')).toBe(cents)
    // And behind a snapshot of its own.
    await depositUntilSnapshot(cluster)
    await cluster.restart(await cluster.kill('leader'))
    expect(await convergedHashes(cluster)).toHaveProperty('size', 1)
    expect(await balanceOf(cluster, 'bob')).toBe(cents)
  })

  test.each([
    ['an account of release 1 that is named like it', 'ledger 2\n', '2'],
    ['nothing, of release 1', '\n', '0'],
    ['release 2', 'ledger-2\n["ledger",7]\n', '7'],
  ])('reads a snapshot with %s', async (_, snapshot, cents) => {
    const ledger = await newLedger()
    ledger.restore([Buffer.from(snapshot)])
    const results = new ResultBuilder()
    ledger.read(packCommands([Buffer.from('ledger')]), results)
    // A result stands behind its length.
    expect(Buffer.from(results.take().bytes.subarray(4)).toString()).toBe(cents)
  })

  test('refuses a snapshot of a later release', async () => {
    const ledger = await newLedger()
    expect(() => ledger.restore([Buffer.from('ledger-3\n{}\n')])).toThrow('does not know the snapshot')
  })

  test('stops at a command that it does not know', async () => {
    const ledger = await newLedger()
    for (const later of [
      { type: 'burn', from: 'ada', cents: 1 },
      { type: 'close', name: 'ada' },
    ]) {
      const unknown = packCommands([command(later)])
      expect(() => ledger.apply({ index: 1, term: 1, timeMs: 0, ...unknown }, undefined)).toThrow(
        'does not know',
      )
    }
  })
})
