/** The verb that reads the logs of nodes from their disks, beside the nodes. */
import { resolveTarget, type Target } from '../faults/index.js'
import {
  entriesInWords,
  Follower,
  type LogOfNode,
  type LogRange,
  logInWords,
  noLogInWords,
} from '../logbook/index.js'
import { type NodeId, Random } from '../raft/index.js'
import { BadInput } from '../terminal/index.js'
import type { Subject } from './subject.js'
import { type Answer, type Conversation, verb } from './verb.js'

export const logVerb = verb('log', {
  explanation:
    "a node's entries: the last 20, or from FROM to TO; --follow: and all new ones until the next line",
  usage: 'T [FROM [TO]|--follow]',
  slots: [
    { kind: 'target', as: 'target' },
    { kind: 'from', as: 'from', isOptional: true },
    { kind: 'to', as: 'to', isOptional: true },
  ],
  suffixes: [{ kind: 'follow', as: 'follow' }],
  async run(subject, { target, follow, ...range }, conversation) {
    if (subject.log === undefined) throw new BadInput('log: the nodes of this host have no disk to read')
    const read = (nodeId: NodeId, of: LogRange) => subject.log?.(nodeId, of) ?? Promise.resolve(undefined)
    const nodeIds = nodesOf(subject, target)
    if (follow !== undefined) return followed(nodeIds, read, range, conversation)
    const logs = await Promise.all(nodeIds.map((nodeId) => read(nodeId, range)))
    const words = nodeIds.map((nodeId, at) => {
      const log = logs[at]
      return log === undefined ? noLogInWords(nodeId) : logInWords(log)
    })
    return { data: { logs: logs.filter((log) => log !== undefined) }, words: words.join('\n') }
  },
})

/** The log of a node that is down is on its disk as well, so roles mean all nodes. */
function nodesOf(subject: Subject, target: Target): readonly NodeId[] {
  const nodes = subject.status()
  const leads = nodes.filter(
    ({ state, role }) => role === 'leader' && (state === 'running' || state === 'paused'),
  )
  const [leader] = leads.sort((one, other) => other.currentTerm - one.currentTerm)
  const { nodeIds } = subject
  const random = new Random(crypto.getRandomValues(new Uint32Array(1))[0] ?? 1)
  return resolveTarget(target, { nodeIds, candidates: nodeIds, leaderId: leader?.nodeId, random })
}

function followed(
  [nodeId = 0, ...others]: readonly NodeId[],
  read: (nodeId: NodeId, range: LogRange) => Promise<LogOfNode | undefined>,
  { from, to }: LogRange,
  conversation: Conversation | undefined,
): Answer {
  if (conversation?.follow === undefined) throw new BadInput('log: --follow is for people at the prompt')
  if (others.length > 0) throw new BadInput('log: --follow is for one node')
  if (from !== undefined || to !== undefined) throw new BadInput('log: give --follow, or FROM and TO')
  const follower = new Follower((range) => read(nodeId, range))
  // The head of the table is told once.
  let head = 0
  conversation.follow(async () => {
    const { replacedFrom, entries } = await follower.look()
    const lines = entries.length === 0 ? [] : entriesInWords(entries).split('\n').slice(head)
    if (lines.length > 0) head = 1
    if (replacedFrom !== undefined)
      lines.unshift(`a later leader replaced the entries from ${replacedFrom} on`)
    return lines.join('\n')
  })
  return { data: { nodeId }, words: '' }
}
