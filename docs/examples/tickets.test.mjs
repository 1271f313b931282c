/** Breaks the cluster below a program, and holds the program to its promise: `node --test tickets.test.mjs` */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RaftError, startCluster } from 'raftbox'
import { nextTicket } from './tickets.mjs'

const breakings = {
  'its leader is killed': async (cluster) => {
    const killed = await cluster.kill('leader')
    await nextTicket(cluster) // Another node leads.
    await cluster.restart(killed)
  },
  'its leader is cut off from the other nodes': async (cluster) => {
    const fault = await cluster.isolate('leader')
    await nextTicket(cluster)
    await fault.heal()
  },
  'no majority of its nodes runs': async (cluster) => {
    await cluster.kill(1)
    await cluster.kill(2)
    const waiting = nextTicket(cluster)
    await cluster.restart([1, 2])
    await waiting
  },
  'its leader loses its power': async (cluster) => {
    const fault = await cluster.losePower('leader')
    await nextTicket(cluster)
    await fault.heal()
  },
  'its messages come late and twice': async (cluster) => {
    await cluster.delay('*', '*', 10, { jitterMs: 10 })
    await cluster.duplicate('*', '*', 0.2)
    await nextTicket(cluster)
    await cluster.heal()
  },
}

for (const [name, breaking] of Object.entries(breakings)) {
  test(`no ticket is given twice while ${name}`, async () => {
    // A busy machine elects nobody but after a fault, and a call waits for the next leader.
    const cluster = await startCluster({ nodes: 3, electionTimeoutMs: 2000, requestTimeoutMs: 20_000 })
    try {
      await nextTicket(cluster)
      const tickets = await ticketsDuring(cluster, breaking)
      assert.ok(tickets.length > 0)
      assert.equal(new Set(tickets).size, tickets.length)
    } finally {
      await cluster.close()
    }
  })
}

/** The tickets that four callers are given while the cluster is broken. */
async function ticketsDuring(cluster, breaking) {
  let isOver = false
  const callers = Array.from({ length: 4 }, async () => {
    const tickets = []
    while (!isOver) {
      try {
        tickets.push(await nextTicket(cluster))
      } catch (error) {
        // A call may end without an answer. Nobody was given its ticket then.
        if (!(error instanceof RaftError)) throw error
      }
    }
    return tickets
  })
  try {
    await breaking(cluster)
  } finally {
    isOver = true
  }
  return (await Promise.all(callers)).flat()
}
