/** Stories of changes of the members (§6, thesis chapter 4), and of leaders that hand over (thesis §3.10). */
import { addLearner, promote, remove, votersOf } from '../support/bench.js'
import { type Heading, Story } from '../support/story.js'

/** Node 1 leads so many nodes, of which the first three are voters, and all know what is committed. */
function ledByOne(heading: Heading, nodes: number): Story {
  const story = new Story(heading, { nodes, membership: votersOf(1, 2, 3) })
  story.quietly(() => {
    story.network.elect(1)
    story.network.tick(2)
  })
  return story
}

/** The leader's next heartbeat, and what it brings about. */
function beat(story: Story, id: number): void {
  story.node(id).tick(2)
  story.settle()
}

export function memberAdded(): Story {
  const story = ledByOne(
    {
      title: 'A member added, caught up and promoted',
      says: 'Thesis §4.2.1: a new server joins as a non-voting member, to which the leader sends its log; once it has caught up, the change that makes it a voter goes ahead.',
    },
    4,
  )
  story.quietly(() => {
    for (const command of ['a', 'b']) story.node(1).propose(command)
    story.network.tick(2)
    story.node(1).compact()
  })
  story.tell(
    'Node 1 leads nodes 2 and 3, and its log is cut behind a snapshot. Node 4 has an empty disk, and is added as a learner.',
  )
  story.node(1).changeMembership(addLearner(4))
  story.tell('Before node 4 has caught up, it is not promoted: no commit may wait for it.')
  story.settle(({ to, from }) => to !== 4 && from !== 4)
  story.node(1).changeMembership(promote(4))
  story.tell('The leader learns that node 4 has nothing, and sends its snapshot and the entry behind it.')
  story.settle()
  story.tell(
    'Now node 4 is promoted. A change of one voter needs no joint configuration (thesis §4.1). It counts from its entry on: three of the four voters have to hold it.',
  )
  story.node(1).changeMembership(promote(4))
  story.settle()
  beat(story, 1)
  story.logs()
  return story
}

export function jointInherited(): Story {
  const story = ledByOne(
    {
      title: 'A joint configuration inherited by the next leader',
      says: '§6: once a joint configuration is committed, neither half can decide alone; it is then safe to go on to the new half, for whatever leader.',
    },
    4,
  )
  story.quietly(() => {
    story.node(1).changeMembership(addLearner(4))
    story.network.tick(4)
  })
  story.tell(
    'Node 1 leads nodes 2 and 3, and node 4 has caught up as a learner. Node 4 takes the place of node 3: two voters change, so the configuration is joint first.',
  )
  story.node(1).changeMembership(promote(4), remove(3))
  story.tell('Nodes 2 and 4 hold the joint configuration. Before the leader hears of it, it dies.')
  story.settle({ from: 1 })
  story.happens('1 crashes', () => story.node(1).crash())
  story.settle()
  story.logs()
  story.tell(
    'Node 2 needs the votes of two of nodes 1, 2 and 4, and of two of nodes 1, 2 and 3. Node 3 received the joint configuration too, and votes in its old half.',
  )
  for (const id of [3, 4])
    story.happens(`${id} hears no leader for the shortest election timeout`, () =>
      story.node(id).waitOutPromise(),
    )
  story.timeOut(2)
  story.settle()
  story.tell(
    'By committing its first entry, node 2 committed the joint configuration, and it left it at once. Node 3 is no member any more, and is sent nothing.',
  )
  beat(story, 2)
  story.logs()
  return story
}

export function leaderRemoved(): Story {
  const story = ledByOne(
    {
      title: 'The leader removed',
      says: 'Thesis §4.2.2: a leader that is removed leads until the configuration without it is committed, and does not count itself; then it steps down.',
    },
    3,
  )
  story.tell('Node 1 leads, and is to be removed. A command follows on the change.')
  story.node(1).changeMembership(remove(1))
  story.node(1).propose('x')
  story.tell('Both others have to hold what is committed from here on.')
  story.settle(({ type }) => type !== 'timeoutNow')
  story.tell(
    'The leader hands over instead of leaving the others to an election timeout, and not before it can tell its clients what became of their commands.',
  )
  story.settle()
  beat(story, 2)
  story.logs()
  return story
}

export function configurationTakenBack(): Story {
  const story = ledByOne(
    {
      title: 'A configuration taken back',
      says: '§6: a server uses the latest configuration in its log, whether or not it is committed. So the configuration goes when its entry is removed.',
    },
    4,
  )
  story.tell(
    'Node 1 leads and is cut off. A change that it takes reaches nobody, and counts for itself alone.',
  )
  story.happens('the links of 1 are cut', () => story.network.isolate(1))
  story.node(1).changeMembership(addLearner(4))
  story.tell('The others elect node 2.')
  story.quietly(() => {
    story.network.elect(2)
    story.network.take()
  })
  story.logs()
  story.tell(
    'Node 1 returns. Its entry gives way to that of node 2, and the configuration before it counts again.',
  )
  story.happens('the links of 1 are mended', () => story.network.heal())
  beat(story, 2)
  beat(story, 2)
  story.logs()
  return story
}

export function transfer(): Story {
  const story = ledByOne(
    {
      title: 'A transfer of leadership',
      says: 'Thesis §3.10: the leader stops taking commands, brings its successor up to date, and tells it to start an election at once.',
    },
    3,
  )
  story.tell('Node 1 leads. Node 3 lacks a command when it is to take over.')
  story.node(1).propose('x')
  story.settle(({ to }) => to !== 3)
  story.node(1).transfer(3)
  story.node(1).propose('y')
  story.tell(
    'Once node 3 holds the whole log, it is told to start. It asks no pre-votes, and the others answer although they heard their leader just now: the request says that the leader asked for it.',
  )
  story.settle()
  beat(story, 3)
  story.logs()
  return story
}

export function transferRepeated(): Story {
  const story = ledByOne(
    {
      title: 'A lost TimeoutNow told again',
      says: 'Thesis §3.10 sends TimeoutNow once. Here the leader sends it again with each heartbeat, so that its loss does not cost an election timeout.',
    },
    3,
  )
  story.tell('Node 1 leads, and hands over to node 3. The message that tells node 3 so is lost.')
  story.node(1).transfer(3)
  story.lose({ type: 'timeoutNow' })
  story.tell('With the next heartbeat node 3 is told again. It leads in the next term.')
  beat(story, 1)
  story.logs()
  return story
}

export function transferGivenUp(): Story {
  const story = ledByOne(
    {
      title: 'A transfer to a dead node given up',
      says: 'Thesis §3.10: if the transfer does not complete after about an election timeout, the leader gives it up and takes commands again.',
    },
    3,
  )
  story.tell('Node 1 leads, and hands over to node 3, which dies before it hears of it.')
  story.node(1).transfer(3)
  story.happens('3 crashes', () => story.node(3).crash())
  story.settle()
  story.node(1).propose('x')
  story.tell(
    'An election timeout passes, of which only the last tick is told. Node 2 answers all the while, so node 1 goes on leading.',
  )
  story.quietly(() => {
    for (let ticks = 1; ticks < 20; ticks++) {
      story.node(1).tick()
      story.network.settle()
    }
  })
  story.node(1).tick()
  story.settle()
  story.node(1).propose('y')
  story.settle()
  story.logs()
  return story
}
