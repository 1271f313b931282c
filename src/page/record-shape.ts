/** The shape of a frame in a file, which may come from a stranger. */

/** `id` counts from 1. A shape in a list of one stands for a list; `orNone` also fits what is not there. */
type Shape =
  | 'number'
  | 'count'
  | 'id'
  | 'text'
  | 'flag'
  /** An end of a link: a node, or all clients. */
  | 'end'
  | readonly [Shape]
  | { readonly orNone: Shape }
  | { readonly words: readonly string[] }
  /** Of all fields, whatever their names are. */
  | { readonly every: Shape }
  | { readonly fields: Readonly<Record<string, Shape>> }

const isOf = {
  number: (value: unknown) => Number.isFinite(value),
  count: (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0,
  id: (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0,
  text: (value: unknown) => typeof value === 'string',
  flag: (value: unknown) => typeof value === 'boolean',
  end: (value: unknown) => value === 'clients' || isOf.id(value),
}

function fits(value: unknown, shape: Shape): boolean {
  if (typeof shape === 'string') return isOf[shape](value)
  if ('orNone' in shape) return value === undefined || fits(value, shape.orNone)
  if ('words' in shape) return shape.words.includes(value as string)
  if (0 in shape) return Array.isArray(value) && value.every((each) => fits(each, shape[0]))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const fields = value as Record<string, unknown>
  if ('every' in shape) return Object.values(fields).every((each) => fits(each, shape.every))
  return Object.entries(shape.fields).every(([name, inner]) => fits(fields[name], inner))
}

const latency: Shape = { fields: { count: 'count', p50us: 'number', p99us: 'number' } }

const membership: Shape = {
  fields: {
    index: 'count',
    membership: { fields: { voters: ['id'], votersOutgoing: ['id'], learners: ['id'] } },
    isCommitted: 'flag',
    transferTo: { orNone: 'id' },
  },
}

const progress: Shape = {
  fields: {
    nodeId: 'id',
    nextIndex: 'count',
    matchIndex: 'count',
    bytesInFlight: 'count',
    isSnapshotSent: 'flag',
  },
}

const node: Shape = {
  fields: {
    nodeId: 'id',
    state: { words: ['running', 'paused', 'stopped', 'failed'] },
    member: { words: ['voter', 'learner', 'joint', 'none'] },
    role: { words: ['follower', 'preCandidate', 'candidate', 'leader'] },
    currentTerm: 'count',
    leaderId: { orNone: 'id' },
    failure: { orNone: 'text' },
    firstIndex: 'count',
    lastIndex: 'count',
    flushedIndex: 'count',
    commitIndex: 'count',
    lastApplied: 'count',
    snapshotIndex: 'count',
    logBytes: 'count',
    terms: [{ fields: { firstIndex: 'count', term: 'count' } }],
    electionLeftMs: { orNone: 'number' },
    electionTimeoutMs: 'number',
    votes: ['id'],
    isLeaseHeld: 'flag',
    progress: [progress],
    flushes: latency,
    heartbeatsLate: latency,
  },
}

const fault: Shape = {
  fields: {
    id: 'count',
    type: 'text',
    line: 'text',
    nodes: ['id'],
    ways: [{ fields: { from: 'end', to: 'end' } }],
    messages: { orNone: 'text' },
    figures: { every: 'number' },
    sinceMs: 'number',
    untilMs: { orNone: 'number' },
  },
}

const message: Shape = {
  fields: {
    id: 'count',
    from: 'id',
    to: 'id',
    type: 'text',
    term: 'count',
    mark: 'number',
    isYes: { orNone: 'flag' },
    sentAtMs: 'number',
  },
}

const frame: Shape = {
  fields: {
    number: 'id',
    atMs: 'number',
    leaderId: { orNone: 'id' },
    membership: { orNone: membership },
    nodes: [node],
    faults: [fault],
    messages: [message],
    arrivals: [{ fields: { id: 'count', atMs: 'number' } }],
    messagesLeftOut: 'count',
    calls: { fields: { count: 'count', p50us: 'number', p99us: 'number', failed: 'count' } },
    loadClients: 'count',
  },
}

export function isFrame(value: unknown): boolean {
  return fits(value, frame)
}
