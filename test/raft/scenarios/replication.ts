/** Stories of log replication (§5.3), of commitment (§5.4.2) and of pipelining (thesis §10.2.1). */
import type { Message } from '../../../src/raft/index.js'
import { Story } from '../support/story.js'

export function figure7(): Story {
  const story = new Story(
    {
      title: 'Figure 7: a leader makes every log agree with its own',
      says: '§5.3: the leader finds the latest entry where the two logs agree, the follower removes what comes after it, and the leader sends its own entries from there on.',
    },
    {
      nodes: {
        1: { log: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6], term: 7 },
        2: { log: [1, 1, 1, 4, 4, 5, 5, 6, 6], term: 7 },
        3: { log: [1, 1, 1, 4], term: 7 },
        4: { log: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6], term: 7 },
        5: { log: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7], term: 7 },
        6: { log: [1, 1, 1, 4, 4, 4, 4], term: 7 },
        7: { log: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3], term: 7 },
      },
    },
  )
  story.tell('The logs of the figure. Node 1 is its leader; nodes 2 to 7 are its followers (a) to (f).')
  story.logs()
  story.tell(
    'Node 1 wins term 8 with the votes of (a), (b), (e) and (f), whose logs are no newer than its own. It sends each follower the empty entry that opens its term.',
  )
  story.quietly(() => {
    story.node(1).campaign()
    story.settle(({ type }) => type !== 'appendEntries')
  })
  const followers = {
    '(a) lacks one entry.': 2,
    '(b) lacks six entries.': 3,
    '(c) has an entry too many.': 4,
    '(d) has two entries of a later term too many.': 5,
    '(e) is too short, and has two entries of term 4 where the leader has term 5. Its second refusal names term 4, so the leader goes back to its own last entry of that term at once.': 6,
    '(f) has two terms that the leader has not. Each refusal skips one whole term.': 7,
  }
  for (const [what, follower] of Object.entries(followers)) {
    story.tell(what)
    story.settle(({ from, to }) => from === follower || to === follower)
  }
  story.tell('All logs agree.')
  story.logs()
  return story
}

/** Up to (c): node 1 leads term 4, and its entries of term 2 are on nodes 1, 2 and 3. */
function upToC(story: Story): void {
  story.tell(
    '(a) Node 1 is elected in term 2. Its empty entry 2@2 reaches node 2 only, and x of a client nobody.',
  )
  story.quietly(() => {
    story.node(1).campaign()
    story.settle(({ type }) => type !== 'appendEntries')
  })
  story.deliver({ type: 'appendEntries', to: 2 })
  story.lose({ type: 'appendEntries' })
  story.deliver({ type: 'appendEntriesResponse' })
  story.node(1).propose('x')
  story.lose()
  story.logs()
  story.happens('1 crashes', () => story.node(1).crash())
  story.tell('(b) Node 5 is elected in term 3 by nodes 3 and 4. Its empty entry 2@3 reaches nobody.')
  story.quietly(() => {
    story.network.link(5, 2).drop()
    elect(story, 5, [3, 4])
  })
  story.lose()
  story.logs()
  story.happens('5 crashes', () => story.node(5).crash())
  story.tell(
    '(c) Node 1 starts again, and is elected in term 4 by nodes 2, 3 and 4. It goes on with the replication of its log: its entries of term 2 reach nodes 2 and 3, its own entry 4@4 reaches nobody.',
  )
  story.quietly(() => {
    story.network.heal()
    story.node(1).restart()
    elect(story, 1, [2, 3, 4])
  })
  story.lose({ to: 4 })
  story.lose({ to: 5 })
  story.settle((message) => !bringsOwnEntry(message))

  function bringsOwnEntry({ type, to }: Message): boolean {
    return type === 'appendEntries' && story.node(to).state.log.lastIndex >= 3
  }
}

function figure8(title: string): Story {
  const story = new Story(
    {
      title,
      says: '§5.4.2: an entry of an earlier term may be on a majority and still be overwritten, so a leader counts the copies of entries of its own term only.',
    },
    {
      nodes: Object.fromEntries([1, 2, 3, 4, 5].map((id) => [id, { log: [1], term: 1 }])),
      // One entry a message, so that the network can lose the last one alone.
      limits: { appendBytesMax: 1, inflightMessagesMax: 1 },
    },
  )
  upToC(story)
  return story
}

export function figure8d(): Story {
  const story = figure8('Figure 8, (a) to (d): an entry on a majority is overwritten')
  story.lose()
  story.tell('The entries of term 2 are on a majority now, and node 1 knows it. It commits none of them.')
  story.logs()
  story.happens('1 crashes', () => story.node(1).crash())
  story.tell(
    '(d) Node 5 starts again. Its last entry is of term 3, which is later than term 2, so nodes 2, 3 and 4 elect it in term 5. It overwrites the entries of term 2. Nobody had applied them.',
  )
  story.quietly(() => {
    story.node(5).restart()
    elect(story, 5, [2, 3, 4])
  })
  story.lose({ to: 1 })
  story.lose({ to: 4 })
  story.settle()
  story.logs()
  story.happens('1 starts again', () => story.node(1).restart())
  story.node(5).tick(2)
  story.settle()
  story.node(5).tick(2)
  story.settle()
  story.logs()
  return story
}

export function figure8e(): Story {
  const story = figure8('Figure 8, (a) to (e): an entry of its own term commits what is before it')
  story.tell(
    '(e) This time 4@4 reaches nodes 2 and 3. Once it is on a majority, all before it are committed with it.',
  )
  story.settle()
  story.logs()
  story.happens('1 crashes', () => story.node(1).crash())
  story.tell(
    'Node 5 starts again, and cannot win: the logs of nodes 2 and 3 end in a later term than its own.',
  )
  story.quietly(() => {
    story.node(5).restart()
    for (const id of [2, 3, 4, 5]) story.node(id).waitOutPromise()
    story.lose()
  })
  story.timeOut(5)
  story.settle()
  story.tell('Node 5 has learned of term 4, and asks for term 5.')
  story.timeOut(5)
  story.settle()
  story.logs()
  return story
}

/** The first attempt may only tell the candidate of a later term. */
function elect(story: Story, candidate: number, voters: readonly number[]): void {
  for (const id of [candidate, ...voters]) story.node(id).waitOutPromise()
  for (let attempts = 0; attempts < 2 && story.node(candidate).state.role !== 'leader'; attempts++) {
    story.node(candidate).campaign()
    story.settle(({ type }) => type !== 'appendEntries')
  }
}

export function lossInPipeline(): Story {
  const story = new Story(
    {
      title: 'A pipelined stream with a loss',
      says: 'Thesis §10.2.1: a leader sends entries without waiting for the answer to those before; when one message is lost, the consistency check of AppendEntries refuses those behind it, and the leader goes back.',
    },
    { nodes: 2 },
  )
  story.quietly(() => {
    story.network.elect(1)
    story.network.tick(2)
  })
  story.tell('Node 1 leads. Four commands come in, and each leaves at once.')
  for (const command of ['a', 'b', 'c', 'd']) story.node(1).propose(command)
  story.tell('The second message is lost. Node 2 takes the first one, and has no place for the others.')
  const [first, second, ...others] = story.network.take({ type: 'appendEntries' })
  if (first === undefined || second === undefined) throw new Error('four messages are on their way')
  story.network.inject(first)
  story.deliver()
  story.network.inject(second)
  story.lose({ to: 2 })
  story.network.inject(...others)
  story.settle({ to: 2 })
  story.tell(
    'The first refusal tells node 1 where to go on. The second one is out of date, and changes nothing.',
  )
  story.settle()
  story.logs()
  return story
}
