/** How a node looks in the ring, as plain data, and in words for who does not see it. */
import type { Frame, NodeFrame } from '../observer/index.js'
import type { NodeId, Role, Term } from '../raft/index.js'

export interface Badge {
  readonly kind: 'disk' | 'clock'
  /** A figure, or a word of one or two letters. */
  readonly text: string
  readonly words: string
}

export interface NodeLook {
  readonly nodeId: NodeId
  readonly life: NodeFrame['state']
  /** `undefined`: it does not run, and has no part. */
  readonly role: Role | undefined
  readonly term: Term
  readonly isLearner: boolean
  readonly isLeaseHeld: boolean
  /** Of a candidate: how many votes it has, of how many. */
  readonly votes: { readonly granted: number; readonly of: number } | undefined
  readonly badges: readonly Badge[]
  /** A word or two beside the node. */
  readonly caption: string
  /** All of it in words. */
  readonly words: string
}

const roleWords: Readonly<Record<Role, string>> = {
  follower: 'follower',
  preCandidate: 'pre-candidate',
  candidate: 'candidate',
  leader: 'leader',
}

export function lookOf(node: NodeFrame, frame: Frame): NodeLook {
  const { nodeId, state: life, currentTerm: term } = node
  const role = life === 'stopped' || life === 'failed' ? undefined : node.role
  const badges = badgesOf(nodeId, frame)
  const isLearner = node.member === 'learner'
  const isCandidate = role === 'candidate' || role === 'preCandidate'
  const votersMax = frame.membership?.membership.voters.length ?? frame.nodes.length
  return {
    ...{ nodeId, life, role, term, isLearner, badges },
    isLeaseHeld: role === 'leader' && node.isLeaseHeld,
    votes: isCandidate ? { granted: node.votes.length, of: votersMax } : undefined,
    caption: captionOf(node, role),
    words: wordsOf(node, role, badges),
  }
}

function captionOf(node: NodeFrame, role: Role | undefined): string {
  const part = role === 'leader' ? '' : partOf(node)
  const word = role === 'preCandidate' ? 'pre-vote' : roleWords[role ?? 'follower']
  return lifeWord(node) ?? (part === '' ? word : part)
}

/** The part of the node in the configuration, where it is more than a voter or less. */
function partOf({ member }: NodeFrame): string {
  if (member === 'learner') return 'learner'
  if (member === 'joint') return 'joint voter'
  return member === 'none' ? 'no member' : ''
}

function lifeWord({ state }: NodeFrame): string | undefined {
  if (state === 'running') return undefined
  return state === 'stopped' ? 'down' : state
}

function wordsOf(node: NodeFrame, role: Role | undefined, badges: readonly Badge[]): string {
  const parts = [
    `node ${node.nodeId}`,
    lifeWord(node) ?? '',
    role === undefined ? '' : roleWords[role],
    partOf(node),
    `term ${node.currentTerm}`,
    role === 'leader' ? `lease ${node.isLeaseHeld ? 'held' : 'not held'}` : '',
    role === 'candidate' || role === 'preCandidate' ? `${node.votes.length} votes` : '',
    node.failure === undefined ? '' : `failed: ${node.failure}`,
    ...badges.map(({ words }) => words),
  ]
  return parts.filter((part) => part !== '').join(', ')
}

/** The faults that stand at the node itself. Those of its links are drawn at the links. */
function badgesOf(nodeId: NodeId, { faults }: Frame): readonly Badge[] {
  return faults.flatMap(({ type, nodes, figures }): Badge[] => {
    if (!nodes.includes(nodeId)) return []
    switch (type) {
      case 'slowDisk':
        return [
          {
            kind: 'disk',
            text: shortMs(figures['flushMs']),
            words: `its disk is ${shortMs(figures['flushMs'])} slower`,
          },
        ]
      case 'stallDisk':
        return [{ kind: 'disk', text: 'stalled', words: 'its disk is stalled' }]
      case 'failDisk':
        return [{ kind: 'disk', text: 'fails', words: 'its disk fails' }]
      case 'fullDisk':
        return [{ kind: 'disk', text: 'full', words: 'its disk is full' }]
      case 'skew':
        return [{ kind: 'clock', text: skewOf(figures), words: `its clock is off by ${skewOf(figures)}` }]
      default:
        return []
    }
  })
}

function skewOf({ offsetMs = 0, drift = 0 }: Readonly<Record<string, number>>): string {
  const parts = [
    offsetMs === 0 ? '' : `${offsetMs > 0 ? '+' : '−'}${shortMs(Math.abs(offsetMs))}`,
    drift === 0 ? '' : `${drift > 0 ? '+' : '−'}${Math.round(Math.abs(drift) * 1000) / 10} %`,
  ]
  return parts.filter((part) => part !== '').join(' ')
}

export function shortMs(ms = 0): string {
  return ms >= 1000 ? `${Math.round(ms / 100) / 10} s` : `${Math.round(ms)} ms`
}
