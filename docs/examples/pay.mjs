/** Pays through a cluster that runs the ledger: `node pay.mjs [MODULE [DIR]]` */
import { startCluster } from 'raftbox'

const [machine = new URL('./ledger.mjs', import.meta.url), dir = 'ledger-data'] = process.argv.slice(2)
const cluster = await startCluster({ nodes: 3, dir, machine })
const command = (fields) => Buffer.from(JSON.stringify(fields))

try {
  // Both are applied, one after the other with nothing in between, once they are flushed on a majority.
  const { results } = await cluster.propose([
    command({ type: 'deposit', to: 'ada', cents: 500 }),
    command({ type: 'transfer', from: 'ada', to: 'bob', cents: 200 }),
  ])
  console.log(results.map(String))

  // Another node leads after this one, and it holds the same ledger.
  const killed = await cluster.kill('leader')
  console.log('bob has', String(await cluster.query(Buffer.from('bob'))))
  await cluster.restart(killed)
} finally {
  await cluster.close()
}
