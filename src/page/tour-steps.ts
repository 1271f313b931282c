/**
 * The steps of the tour: what to look at on the real cluster, the line to let it carry out, and the condition in its
 * frames that ends the step. No step counts time.
 */
import type { Question } from '../explain/index.js'
import type { Frame, NodeFrame } from '../observer/index.js'
import type { LogIndex, NodeId, Term } from '../raft/index.js'

/** The nodes that play a part, chosen as a step begins. */
export interface Cast {
  /** The leader that is killed, and the term in which it led. */
  readonly killed: { readonly nodeId: NodeId; readonly term: Term } | undefined
  /** The link that is cut: from the leader to a follower. */
  readonly cut: { readonly leaderId: NodeId; readonly nodeId: NodeId } | undefined
}

export interface Scene {
  /** The frame at which the step began. */
  readonly first: Frame
  readonly now: Frame
  readonly cast: Cast
  /** Lines of the tour that were carried out. */
  readonly begun: readonly string[]
  /** The index of the command of each line that was answered. */
  readonly answered: Readonly<Record<string, LogIndex>>
}

export interface TourStep {
  readonly title: string
  /** The part of the page to look at. */
  readonly place: 'ring' | 'logs' | 'feed'
  /** Chooses the nodes of the step. `undefined`: they are not there yet. */
  cast?(now: Frame, cast: Cast): Cast | undefined
  words(scene: Scene): readonly string[]
  /** The line that the reader lets the sandbox carry out. Absent: there is only something to see. */
  line?(scene: Scene): string | undefined
  /** The node to look at. */
  node?(scene: Scene): NodeId | undefined
  /** The event that the step waits for, in words. */
  readonly waits: string
  isSeen(scene: Scene): boolean
  seen(scene: Scene): string
  question?(scene: Scene): Question | undefined
}

/** Each fault of the tour heals by itself, also where the page is closed in the middle of it. */
const forTime = 'for 120s'
export const tourKey = 'raftbox-tour'
const firstPut = `put ${tourKey} hello`
const secondPut = `put ${tourKey} again`

export function nodeWith(frame: Frame, nodeId: NodeId | undefined): NodeFrame | undefined {
  return frame.nodes.find((node) => node.nodeId === nodeId)
}

function leaderOf(frame: Frame): NodeFrame | undefined {
  return nodeWith(frame, frame.leaderId)
}

function committedIn(frame: Frame): number {
  return Math.max(0, ...frame.nodes.map(({ commitIndex }) => commitIndex))
}

/** Nodes whose votes count, and that run. */
export function votersRunning({ nodes }: Frame): readonly NodeFrame[] {
  return nodes.filter(({ state, member }) => state === 'running' && member === 'voter')
}

const always = () => true
const nothing = () => ''

const welcome: TourStep = {
  title: 'A cluster that agrees',
  place: 'ring',
  words: ({ now }) => [
    `You see a real cluster: ${now.nodes.length} nodes, each in a thread of its own, each with a log on its disk.`,
    'Together they keep one list of commands, in the same order on every node, also when some of them fail. Raft is the way in which they agree. Five minutes show how.',
    'All that the tour breaks it also mends, whenever you leave it.',
  ],
  waits: '',
  isSeen: always,
  seen: nothing,
}

const leader: TourStep = {
  title: 'A leader',
  place: 'ring',
  words: () => [
    'One node leads: the one with the crown. Clients send their commands to it, and the other nodes follow it.',
    'The time is divided into terms, which are numbered. A term has one leader at most. The colour of a node is its term.',
  ],
  node: ({ now }) => now.leaderId,
  waits: 'Waiting for a node that leads.',
  isSeen: ({ now }) => leaderOf(now)?.state === 'running',
  seen: ({ now }) => `Node ${now.leaderId} leads term ${leaderOf(now)?.currentTerm}.`,
}

const heartbeat: TourStep = {
  title: 'A heartbeat',
  place: 'ring',
  words: () => [
    'Many times a second the leader sends each follower a heartbeat: the dots that leave it. Each one says: I am here.',
    'Around a follower an arc empties. A heartbeat fills it again. A follower whose arc is empty takes its leader for dead.',
  ],
  node: ({ now }) => now.leaderId,
  waits: 'Waiting for a heartbeat.',
  isSeen: ({ now }) => now.messages.some(({ type, from }) => type === 'heartbeat' && from === now.leaderId),
  seen: ({ now }) => `Node ${now.leaderId} has sent heartbeats.`,
}

const command: TourStep = {
  title: 'A command',
  place: 'logs',
  words: () => [
    'Let a client put a key. The leader writes the command to its log, and sends it to the followers.',
    'The command is committed once a majority of the nodes have it on their disks. It is then safe, and the client gets its answer. In the picture of the logs its cell has a firm edge then.',
  ],
  line: () => firstPut,
  waits: 'Waiting for an entry that is committed.',
  isSeen: ({ now, answered }) => isCommitted(now, answered[firstPut]),
  seen: ({ answered }) => `Entry ${answered[firstPut]} is committed.`,
  question({ answered }) {
    const index = answered[firstPut]
    return index === undefined ? undefined : { about: 'index', index }
  },
}

/** The load and the sessions of clients commit entries too: only the index of the reader's own command tells. */
function isCommitted(now: Frame, index: LogIndex | undefined): index is LogIndex {
  return index !== undefined && committedIn(now) >= index
}

const vote: TourStep = {
  title: 'A vote',
  place: 'ring',
  cast: (now, cast) => {
    const leading = leaderOf(now)
    return leading === undefined
      ? undefined
      : { ...cast, killed: { nodeId: leading.nodeId, term: leading.currentTerm } }
  },
  words: ({ cast }) => [
    `Kill the leader, ${named(cast.killed, 'once there is one')}. Nobody tells the others: they only hear no heartbeats, and their arcs empty.`,
    'The first node whose arc is empty asks the others for their votes; the dots inside it are the votes that it has. With those of a majority it leads the next term, and the colour changes.',
  ],
  line: ({ cast }) => cast.killed && `kill ${cast.killed.nodeId} ${forTime}`,
  node: ({ cast }) => cast.killed?.nodeId,
  waits: 'Waiting for another leader.',
  isSeen: ({ now, cast }) => {
    const leading = leaderOf(now)
    return leading?.state === 'running' && leading.currentTerm > (cast.killed?.term ?? 0)
  },
  seen: ({ now }) =>
    `Node ${now.leaderId} leads term ${leaderOf(now)?.currentTerm}: a majority voted for it.`,
  question: ({ now }) => ({ about: 'election', term: leaderOf(now)?.currentTerm }),
}

/** The node that plays a part, or other words while nobody does. */
function named(part: { readonly nodeId: NodeId } | undefined, otherwise: string): string {
  return part === undefined ? otherwise : `node ${part.nodeId}`
}

const comeBack: TourStep = {
  title: 'A node that comes back',
  place: 'ring',
  words: ({ cast }) => [
    `Start ${named(cast.killed, 'the node')} again. All that it had acknowledged is still on its disk.`,
    'It led once, but it hears of a later term: so it follows, and gets what it has missed.',
  ],
  line: ({ cast }) => cast.killed && `restart ${cast.killed.nodeId}`,
  node: ({ cast }) => cast.killed?.nodeId,
  waits: 'Waiting for the node to follow the leader.',
  isSeen: ({ now, first, cast }) => {
    const node = nodeWith(now, cast.killed?.nodeId)
    return node?.state === 'running' && follows(node, now) && node.commitIndex >= committedIn(first)
  },
  seen: ({ now, cast }) => `Node ${cast.killed?.nodeId} follows node ${now.leaderId}.`,
}

function follows({ nodeId, leaderId }: NodeFrame, { leaderId: leading }: Frame): boolean {
  return leading !== undefined && leading !== nodeId && leaderId === leading
}

const lostLink: TourStep = {
  title: 'A lost link',
  place: 'ring',
  cast: (now, cast) => {
    const leading = leaderOf(now)
    const follower = votersRunning(now).findLast(({ nodeId }) => nodeId !== leading?.nodeId)
    if (leading === undefined || follower === undefined) return undefined
    return { ...cast, cut: { leaderId: leading.nodeId, nodeId: follower.nodeId } }
  },
  words: ({ cast: { cut } }) => [
    `Cut the link between the leader and ${named(cut, 'a follower')}. Both run, and neither hears the other.`,
    `The arc of ${named(cut, 'the follower')} empties. It asks whether it would win an election, and the others refuse: they hear their leader. So a node that is cut off disturbs nobody.`,
  ],
  line: ({ cast: { cut } }) => cut && `cut ${linkOf(cut)} ${forTime}`,
  node: ({ cast }) => cast.cut?.nodeId,
  waits: 'Waiting for the node to miss its leader.',
  isSeen: ({ now, cast }) => {
    const node = nodeWith(now, cast.cut?.nodeId)
    return node !== undefined && isCut(now, cast) && !follows(node, now)
  },
  seen: ({ cast }) => `Node ${cast.cut?.nodeId} has no leader, and the cluster goes on.`,
}

function linkOf({ leaderId, nodeId }: NonNullable<Cast['cut']>): string {
  return `${leaderId}-${nodeId}`
}

function isCut({ faults }: Frame, { cut }: Cast): boolean {
  return faults.some(({ type, ways }) => type === 'cut' && ways.some(({ to }) => to === cut?.nodeId))
}

const behind: TourStep = {
  title: 'A log that stays behind',
  place: 'logs',
  words: ({ cast }) => [
    'Put the key again. The leader and the other followers are a majority: the command is committed as before.',
    `The command does not reach ${named(cast.cut, 'the node')}, whose log is shorter than the others.`,
  ],
  line: () => secondPut,
  node: ({ cast }) => cast.cut?.nodeId,
  waits: 'Waiting for an entry that is committed, and that the node lacks.',
  isSeen({ now, cast, answered }) {
    const index = answered[secondPut]
    return isCommitted(now, index) && lastOf(now, cast.cut?.nodeId) < index
  },
  seen: ({ now, cast }) =>
    `${committedIn(now)} entries are committed, and node ${cast.cut?.nodeId} has ${lastOf(now, cast.cut?.nodeId)}.`,
}

function lastOf(frame: Frame, nodeId: NodeId | undefined): number {
  return nodeWith(frame, nodeId)?.lastIndex ?? 0
}

const healing: TourStep = {
  title: 'A log that heals',
  place: 'logs',
  words: ({ cast }) => [
    `Heal the link: ${named(cast.cut, 'the node')} hears its leader again, and says how far its log is.`,
    'The leader sends what is missing, from the last entry on which both logs agree. Had the node entries that no majority ever had, they would be taken away.',
  ],
  line: ({ cast: { cut } }) => cut && `heal ${linkOf(cut)}`,
  node: ({ cast }) => cast.cut?.nodeId,
  waits: 'Waiting for the log of the node to hold all that was committed.',
  isSeen: ({ now, first, cast }) => {
    const node = nodeWith(now, cast.cut?.nodeId)
    return (
      node !== undefined && !isCut(now, cast) && follows(node, now) && node.lastIndex >= committedIn(first)
    )
  },
  seen: ({ now, cast }) =>
    `Node ${cast.cut?.nodeId} has all ${lastOf(now, cast.cut?.nodeId)} entries: the logs are the same again.`,
}

const end: TourStep = {
  title: 'That is Raft',
  place: 'feed',
  words: () => [
    'A leader, heartbeats, votes of a majority, and logs that are made equal: nothing more was at work.',
    'The feed holds all that happened. Click a line, and it is explained. Click a node or drag from one to another to break more; the panels have keys, load, members and whole scenarios.',
  ],
  waits: '',
  isSeen: always,
  seen: nothing,
}

export const tourSteps: readonly TourStep[] = [
  ...[welcome, leader, heartbeat, command, vote, comeBack, lostLink, behind, healing, end],
]
