/** Stories of snapshots (§7) and of reads by the lease (thesis §6.4). */
import { Story } from '../support/story.js'

export function snapshot(): Story {
  const story = new Story(
    {
      title: 'A snapshot',
      says: '§7: a leader that has already discarded the next entry that a follower needs sends it a snapshot in chunks (Figure 13), and then the entries behind it.',
    },
    { nodes: 3, limits: { snapshotChunkBytes: 80 } },
  )
  story.quietly(() => {
    story.network.elect(1)
    story.network.tick(2)
  })
  story.tell('Node 1 leads. Node 3 is down while three commands are committed.')
  story.happens('3 crashes', () => story.node(3).crash())
  story.quietly(() => {
    for (const command of ['a', 'b', 'c']) story.node(1).propose(command)
    story.network.settle()
  })
  story.node(1).compact()
  story.node(1).propose('d')
  story.settle()
  story.logs()
  story.tell(
    'Node 3 starts again. The leader learns that node 3 lacks entries that are cut off, and sends its snapshot.',
  )
  story.happens('3 starts again', () => story.node(3).restart())
  story.node(1).tick(2)
  story.deliver({ to: 3 })
  story.deliver({ from: 3 })
  story.settle(({ type }) => type !== 'installSnapshot')
  story.tell('The second chunk is lost. After the next answered heartbeats it is sent again.')
  story.deliver({ type: 'installSnapshot' })
  story.deliver({ type: 'installSnapshotResponse' })
  story.lose({ type: 'installSnapshot' })
  for (let beats = 0; beats < 2; beats++) {
    story.node(1).tick(2)
    story.settle(({ type }) => type !== 'installSnapshot')
  }
  story.settle()
  story.tell('Node 3 holds the whole snapshot, and has the entry behind it.')
  story.logs()
  return story
}

export function lease(): Story {
  const story = new Story(
    {
      title: 'A lease kept and lost',
      says: 'Thesis §6.4.1: a leader whose heartbeat a majority answered is the only leader for as long as they promise to elect no other, so until then it serves reads without asking anyone.',
    },
    { nodes: 3 },
  )
  story.quietly(() => {
    story.network.elect(1)
    story.network.tick(2)
  })
  const at = (now: number) =>
    story.happens(`the clock of 1 shows ${now} ticks`, () => {
      story.node(1).now = now
    })
  story.tell('Node 1 leads, and has a clock. Its heartbeat leaves at 100 ticks, and node 2 answers it.')
  at(100)
  story.node(1).tick(2)
  story.settle({ to: 2 })
  story.settle({ from: 2 })
  story.tell(
    'The election timeout is 20 ticks; the lease is three quarters of it, after two ticks are taken off. Until 113 node 1 confirms reads at once.',
  )
  at(113)
  story.node(1).read(1)
  story.tell(
    'At 114 the lease has run out. The read waits for a round of heartbeats that a majority answers.',
  )
  at(114)
  story.node(1).read(2)
  story.settle()
  story.tell('The answers carry the lease on, from when their round left.')
  at(127)
  story.node(1).read(3)
  story.tell('Then nobody hears node 1. It cannot confirm the next read, and gives it up as it steps down.')
  story.happens('the links of 1 are cut', () => story.network.isolate(1))
  at(128)
  story.node(1).read(4)
  story.happens('election timeouts pass at 1', () => {
    for (let ticks = 0; story.node(1).state.role === 'leader' && ticks < 100; ticks++) story.node(1).tick()
  })
  return story
}
