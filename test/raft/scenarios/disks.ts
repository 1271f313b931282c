/** Stories of disks (Figure 2, persistent state): of slow ones, and of what is left after a crash. */
import { Story } from '../support/story.js'

export function stalledDisk(): Story {
  const story = new Story(
    {
      title: 'A stalled disk',
      says: 'Thesis §10.2.1: a leader sends entries beside its own write, and may commit them before that write is done; ours: a leader whose disk finishes no write for an election timeout steps down.',
    },
    { nodes: 3 },
  )
  story.quietly(() => {
    story.network.elect(1)
    story.network.tick(2)
  })
  story.tell(
    'Node 1 leads. First the disk of node 3 stalls: node 3 answers heartbeats, and acknowledges nothing.',
  )
  story.happens('the disk of 3 stalls', () => {
    story.node(3).disk.isHeld = true
  })
  story.node(1).propose('x')
  story.settle()
  story.node(1).tick(2)
  story.settle()
  story.tell('Each write that its disk finishes lets the acknowledgement leave that waited for it.')
  story.node(3).flushNext()
  story.happens('the disk of 3 goes on', () => story.node(3).releaseDisk())
  story.settle()
  story.tell(
    'Then the disk of the leader stalls. The next command is committed by nodes 2 and 3, without the copy of node 1.',
  )
  story.happens('the disk of 1 stalls', () => {
    story.node(1).disk.isHeld = true
  })
  story.node(1).propose('y')
  story.settle()
  story.tell('For an election timeout no write is finished. Node 1 makes room for a leader that can write.')
  story.happens('19 ticks pass, and heartbeats are answered', () =>
    story.quietly(() => story.network.tick(19)),
  )
  story.node(1).tick()
  story.settle()
  story.tell('Node 1 does not campaign while its disk is stalled.')
  story.happens('2 election timeouts pass at 1', () => story.node(1).tick(40))
  story.happens('2 and 3 hear no leader for the shortest election timeout', () => {
    story.node(2).waitOutPromise()
    story.node(3).waitOutPromise()
  })
  story.timeOut(2)
  story.settle()
  story.logs()
  return story
}

export function powerLoss(): Story {
  const story = new Story(
    {
      title: 'A power loss',
      says: 'Figure 2: a node answers a request once the state that the answer promises is on stable storage, so what was acknowledged survives any crash, and what was not may be gone.',
    },
    { nodes: 3 },
  )
  story.quietly(() => {
    story.network.elect(1)
    story.network.tick(2)
  })
  story.tell('Node 1 leads. Node 3 takes an entry, and its power fails before the entry is on its disk.')
  story.happens('the disk of 3 is slow', () => {
    story.node(3).disk.isHeld = true
  })
  story.node(1).propose('x')
  story.settle({ to: 3 })
  story.happens('the power of 3 fails', () => story.node(3).crash())
  story.settle()
  story.tell(
    'Node 3 starts again without the entry. It had not acknowledged it, so the leader still owes it.',
  )
  story.happens('3 starts again', () => {
    story.node(3).disk.isHeld = false
    story.node(3).restart()
  })
  story.logs()
  story.node(1).tick(2)
  story.settle()
  story.node(1).tick(2)
  story.settle()
  story.tell('Now the power of all nodes fails at once, while a second command is on one disk only.')
  story.node(1).propose('y')
  story.happens('the power of all nodes fails', () => {
    story.network.take()
    for (const node of story.network.nodes) node.crash()
  })
  story.happens('all nodes start again', () => {
    for (const node of story.network.nodes) node.restart()
  })
  story.logs()
  story.tell(
    'x was committed, and is there. A node that restarts votes for nobody within an election timeout, for it may have answered a leader just before. Then node 1 is elected, since it alone has y.',
  )
  story.happens('the shortest election timeout passes at all nodes', () => {
    for (const node of story.network.nodes) node.waitOutPromise()
  })
  story.timeOut(1)
  story.settle()
  story.logs()
  return story
}

export function restart(): Story {
  const story = new Story(
    {
      title: 'A restart',
      says: 'Figure 2: currentTerm, votedFor and the log are on stable storage, and everything else is learned again; a node that forgot its vote could vote twice in one term (§5.2).',
    },
    { nodes: { 1: { log: [1] }, 2: { log: [1] }, 3: { log: [1] } } },
  )
  story.tell('Nodes 1 and 3 both learn that they could win term 2.')
  story.timeOut(1)
  story.timeOut(3)
  story.settle({ type: 'preVote' })
  story.settle({ type: 'preVoteResponse' })
  story.tell('Node 2 votes for node 1, crashes, and starts again. The answer is lost.')
  story.deliver({ type: 'requestVote', from: 1, to: 2 })
  story.lose({ from: 2 })
  story.happens('2 crashes', () => story.node(2).crash())
  story.happens('2 starts again', () => story.node(2).restart())
  story.tell(
    'Within an election timeout of its start, node 2 looks at no request for its vote (ours, for the lease).',
  )
  story.deliver({ type: 'requestVote', from: 3, to: 2 })
  story.happens('2 hears no leader for the shortest election timeout', () => story.node(2).waitOutPromise())
  story.tell('Then node 3 asks again in term 2. Node 2 remembers its vote, and refuses.')
  story.lose()
  story.node(3).tick(2)
  story.settle({ from: 3, to: 2 })
  story.settle({ from: 2, to: 3 })
  story.tell('Node 1 asks again, and gets the same vote again. It leads term 2.')
  story.lose()
  story.node(1).tick(2)
  story.settle()
  story.tell('Node 2 crashes once more. It knows its term and its log, and learns again what is committed.')
  story.happens('2 crashes', () => story.node(2).crash())
  story.happens('2 starts again', () => story.node(2).restart())
  story.logs()
  story.node(1).tick(2)
  story.settle()
  story.logs()
  return story
}
