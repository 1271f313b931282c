/** Breaks the etcd below a program, and holds the program to its promise: `node --test visits.test.mjs` */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Etcd3 } from 'etcd3'
import { startEtcd } from 'raftbox/etcd'
import { countVisit } from './visits.mjs'

const breakings = {
  'the leader is killed': async (etcd) => {
    const killed = await etcd.kill('leader')
    await visited(etcd) // Another node leads.
    await etcd.restart(killed)
  },
  'the leader stands still, and its connections with it': async (etcd) => {
    await etcd.pause('leader')
    await visited(etcd)
    await etcd.resume('all')
  },
  'the leader is cut off from the other nodes': async (etcd) => {
    const fault = await etcd.isolate('leader')
    await visited(etcd)
    await fault.heal()
  },
}

for (const [name, breaking] of Object.entries(breakings)) {
  test(`no number is told twice while ${name}`, async () => {
    const etcd = await startEtcd({ nodes: 3 })
    try {
      const numbers = await numbersDuring(etcd, breaking)
      assert.ok(numbers.length > 0)
      assert.equal(new Set(numbers).size, numbers.length)
    } finally {
      await etcd.close()
    }
  })
}

/** The numbers that three programs tell, each a client of another node, while the cluster is broken. */
async function numbersDuring(etcd, breaking) {
  let isOver = false
  const programs = etcd.endpoints.map(async (endpoint) => {
    const client = new Etcd3({ hosts: endpoint, defaultCallOptions: () => ({ deadline: Date.now() + 1000 }) })
    const numbers = []
    while (!isOver) {
      try {
        numbers.push(await countVisit(client))
      } catch {
        // Nobody was told this number. Whether the visit was counted is not known.
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    client.close()
    return numbers
  })
  try {
    await breaking(etcd)
  } finally {
    isOver = true
  }
  return (await Promise.all(programs)).flat()
}

/** Resolves once a visit was counted by one of the nodes that can be reached. */
async function visited(etcd) {
  const clients = etcd.endpoints.map(
    (endpoint) =>
      new Etcd3({ hosts: endpoint, defaultCallOptions: () => ({ deadline: Date.now() + 10_000 }) }),
  )
  await Promise.any(clients.map(countVisit))
  for (const client of clients) client.close()
}
