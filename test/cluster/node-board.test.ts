/** The board of a node that is frozen, and what waits for the node meanwhile. */
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { NodeBoard } from '../../src/cluster/node-board.js'
import type { StandingFault } from '../../src/faults/index.js'
import type { ControlledNode } from '../../src/node/index.js'
import { createLink, type LinkEnd, portsOf } from '../../src/transport/index.js'

const pause: StandingFault = { id: 1, fault: { type: 'pause', nodes: [1] }, sinceMs: 0, untilMs: undefined }

/** A node that is frozen, and the links that it was handed. */
async function frozenNode() {
  const board = new NodeBoard()
  const handed: LinkEnd[] = []
  const closed: number[] = []
  const done = { ok: true, value: undefined } as const
  const node = {
    look: async () => done,
    connect: async (link: LinkEnd) => {
      handed.push(link)
      return done
    },
    disconnect: async (peerId: number) => {
      closed.push(peerId)
      return done
    },
  } as unknown as ControlledNode
  board.begin()
  await board.show([pause], node)
  board.froze()
  const connect = async (peerId: number): Promise<LinkEnd> => {
    const [theirs, own] = createLink(peerId, 1)
    for (const port of portsOf(theirs)) port.start()
    await board.connect(own, node)
    return theirs
  }
  return { board, node, handed, closed, connect }
}

test('[OV6] a paused node takes the newest link to each peer when it goes on, and the older ones are closed', async () => {
  const { board, node, handed, connect } = await frozenNode()
  const older = [await connect(2), await connect(2)]
  const closed = older.flatMap(portsOf).map((port) => once(port, 'close'))
  await connect(2)
  await connect(3)
  await Promise.all(closed)
  expect(handed).toEqual([])
  await board.show([], node)
  expect(handed.map(({ peerId }) => peerId)).toEqual([2, 3])
  await connect(2)
  expect(handed.length).toBe(3)
  for (const port of handed.flatMap(portsOf)) port.close()
})

test('[MB9] a paused node closes its links to nodes that were removed when it goes on, and takes none that waited', async () => {
  const { board, node, handed, closed, connect } = await frozenNode()
  const waiting = portsOf(await connect(3)).map((port) => once(port, 'close'))
  await board.disconnect(2, node)
  await board.disconnect(3, node)
  await Promise.all(waiting)
  expect(closed).toEqual([])
  await board.show([], node)
  expect(closed).toEqual([2, 3])
  expect(handed).toEqual([])
  await board.show([pause], node)
  board.froze()
  await board.show([], node)
  expect(closed).toEqual([2, 3])
})

test('[MB9] the next life of a node that was ended while it was paused closes no link for its former life', async () => {
  const { board, node, closed } = await frozenNode()
  await board.disconnect(2, node)
  board.end()
  board.begin()
  await board.show([pause], node)
  await board.show([], node)
  expect(closed).toEqual([])
})

test('[OV6] the links that wait for a paused node are closed at its end', async () => {
  const { board, handed, connect } = await frozenNode()
  const links = [await connect(2), await connect(3)]
  const closed = links.flatMap(portsOf).map((port) => once(port, 'close'))
  board.end()
  await Promise.all(closed)
  expect(handed).toEqual([])
})
