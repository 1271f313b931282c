/** Stories of elections (§5.2), of pre-votes (thesis §9.6) and of leaders that step down (thesis §6.2). */
import { Story } from '../support/story.js'

export function election(): Story {
  const story = new Story(
    {
      title: 'An election',
      says: '§5.2: a candidate that receives the votes of a majority for one term becomes the leader of that term, and sends heartbeats so that nobody else begins an election.',
    },
    { nodes: 3 },
  )
  story.tell(
    'Three nodes start for the first time. Node 1 is the first whose election timeout passes. It asks whether it would win before it raises its term (thesis §9.6).',
  )
  story.timeOut(1)
  story.settle({ type: 'preVote' })
  story.tell('A majority would vote for node 1. Its vote for itself is on disk before it asks for others.')
  story.settle(({ type }) => type !== 'appendEntries')
  story.tell('The leader opens its term with an empty entry (§8). Once a majority has it, it is committed.')
  story.settle()
  story.tell('The followers learn of the commit by the next heartbeat.')
  story.node(1).tick(2)
  story.settle()
  story.logs()
  return story
}

export function splitVote(): Story {
  const story = new Story(
    {
      title: 'A split vote',
      says: '§5.2: if several followers become candidates at once, no one may obtain a majority; each candidate then times out, and a new election begins in a new term.',
    },
    { nodes: 4 },
  )
  story.tell('The election timeouts of nodes 1 and 2 pass together. Both learn that they could win.')
  story.timeOut(1)
  story.timeOut(2)
  story.settle({ type: 'preVote' })
  story.settle({ type: 'preVoteResponse' })
  story.tell('Node 3 hears node 1 first, and node 4 hears node 2 first. Each votes once a term.')
  story.deliver({ type: 'requestVote', from: 1, to: 3 })
  story.deliver({ type: 'requestVote', from: 2, to: 4 })
  story.settle()
  story.tell('Nobody leads term 1. Timeouts are drawn anew, so one candidate is now alone (§5.2).')
  story.timeOut(2)
  story.settle()
  story.logs()
  return story
}

export function preVoteRefused(): Story {
  const story = new Story(
    {
      title: 'A pre-vote refused',
      says: 'Thesis §9.6: a node raises its term only once a majority would vote for it, so a node that was cut off does not disturb the cluster when it returns.',
    },
    { nodes: 3 },
  )
  story.quietly(() => {
    story.network.elect(1)
    story.network.tick(2)
  })
  story.tell('Node 1 leads term 1. Node 3 is cut off, and misses a command.')
  story.happens('the links of 3 are cut', () => story.network.isolate(3))
  story.node(1).propose('x')
  story.settle()
  story.tell('Node 3 asks again and again. Nobody answers, and its term stays.')
  story.timeOut(3)
  story.timeOut(3)
  story.tell('Node 3 returns. The others hear their leader, so they do not look at its question.')
  story.happens('the links of 3 are mended', () => story.network.heal())
  story.node(3).tick(2)
  story.settle()
  story.tell(
    'Now the leader is gone. Node 2 waits for no leader any more, and still it would not vote for node 3: the log of node 3 is older than its own (§5.4.1).',
  )
  story.happens('1 crashes', () => story.node(1).crash())
  story.happens('2 hears no leader for the shortest election timeout', () => story.node(2).waitOutPromise())
  story.node(3).tick(2)
  story.settle()
  story.tell('Node 2 has the newer log, and wins.')
  story.timeOut(2)
  story.settle()
  story.logs()
  return story
}

export function checkQuorum(): Story {
  const story = new Story(
    {
      title: 'A step-down by check-quorum',
      says: 'Thesis §6.2: a leader steps down when an election timeout passes without an answer from a majority of its cluster, so that its clients turn to the leader of the others.',
    },
    { nodes: 3 },
  )
  story.quietly(() => {
    story.network.elect(1)
    story.network.tick(19)
  })
  story.tell('Node 1 leads term 1. Then nobody hears it, and it hears nobody. A command still comes in.')
  story.happens('the links of 1 are cut', () => story.network.isolate(1))
  story.node(1).propose('x')
  story.tell(
    'Node 1 looks once an election timeout whether a majority answered since it looked last. The answers from before the cut still count; 20 ticks later there is none.',
  )
  story.node(1).tick()
  story.happens('19 ticks pass at 1', () => story.node(1).tick(19))
  story.node(1).tick()
  story.node(1).propose('y')
  story.tell(
    'The others elect node 2. Each of them heard node 1 before, and votes for nobody within an election timeout of that.',
  )
  story.happens('2 and 3 hear no leader for the shortest election timeout', () => {
    story.node(2).waitOutPromise()
    story.node(3).waitOutPromise()
  })
  story.timeOut(2)
  story.settle()
  story.logs()
  story.tell('Node 1 returns, follows node 2, and gives up the entry that it never committed.')
  story.happens('the links of 1 are mended', () => story.network.heal())
  story.node(2).tick(2)
  story.settle()
  story.node(2).tick(2)
  story.settle()
  story.logs()
  return story
}
