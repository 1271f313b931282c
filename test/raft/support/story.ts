/**
 * A run of a `RaftNetwork`, told in two columns: on the left what happened to a node, on the right what the node did.
 * The lines are made from the facts that the protocol was told and from its answers, so a changed behaviour is a
 * changed line.
 */
import type { Answer, Input, LogRun, Message, NodeId, Persist, Ready } from '../../../src/raft/index.js'
import {
  commandsOf,
  type MessageFilter,
  type NetworkNode,
  type NetworkOptions,
  RaftNetwork,
} from '../../../src/testing/index.js'
import {
  changesInWords,
  entriesInWords,
  eventInWords,
  messageInWords,
  sendingsInWords,
  writeInWords,
} from './words.js'

export interface Heading {
  readonly title: string
  /** The section of the paper or of the thesis, and what it says in one sentence. */
  readonly says: string
}

/** Where the right column begins. */
const rightColumn = 66
const proseWidth = 110

interface Row {
  left: string
  readonly right: string[]
  /** Ticks that passed at this node, when nothing else happened. */
  readonly ticksOf?: NodeId
  ticks: number
}

export class Story {
  readonly network: RaftNetwork
  readonly #blocks: (string | Row)[] = []
  /** Set while the script itself says what happens. */
  #told: Row | undefined
  #isQuiet = true
  readonly #persists = new Map<string, Persist>()
  readonly #toApply = new Map<NodeId, readonly LogRun[]>()
  readonly #commitIndexes = new Map<NodeId, number>()

  constructor(heading: Heading, options: NetworkOptions) {
    this.#blocks.push(`${heading.title}\n${'='.repeat(heading.title.length)}\n${wrapped(heading.says)}`)
    this.network = new RaftNetwork({ ...options, observe: (...seen) => this.#observe(...seen) })
    this.#isQuiet = false
  }

  node(id: NodeId): NetworkNode {
    return this.network.node(id)
  }

  /** A sentence between the rows. */
  tell(sentence: string): void {
    this.#blocks.push(wrapped(sentence))
  }

  /** Something happens that is no fact told to the protocol: a crash, a clock, a cut link. */
  happens(what: string, work: () => void): void {
    this.#told = this.#addRow(what)
    work()
    this.#told = undefined
  }

  /** Runs the events before the story, which are not told. */
  quietly(work: () => void): void {
    this.#isQuiet = true
    work()
    this.#isQuiet = false
    for (const node of this.network.nodes)
      if (node.isUp) this.#commitIndexes.set(node.id, node.state.log.commitIndex)
  }

  /** Time passes for one node until it begins an election. */
  timeOut(id: NodeId): void {
    const node = this.node(id)
    const before = node.events.length
    this.happens(`${id} hears no leader for its election timeout`, () => {
      for (let ticks = 0; node.events.length === before && ticks < 100; ticks++) node.tick()
    })
  }

  /** Delivers matching messages, and what they bring about, until none is left. */
  settle(filter: MessageFilter = {}): void {
    while (this.deliver(filter));
  }

  /** Delivers the oldest matching message. */
  deliver(filter: MessageFilter = {}): boolean {
    const before = [...this.network.inFlight]
    if (!this.network.deliver(filter)) return false
    for (const message of before) {
      if (this.network.inFlight.includes(message) || this.node(message.to).isUp) continue
      this.#addRow(onItsWay(message)).right.push(`lost: node ${message.to} is down`)
    }
    return true
  }

  /** Loses all matching messages that are on their way. */
  lose(filter: MessageFilter = {}): void {
    for (const message of this.network.take(filter)) this.#addRow(onItsWay(message)).right.push('lost')
  }

  /** The log of each node, each entry by its term; `|` stands after the last one that is committed. */
  logs(): void {
    const lines = this.network.nodes.map((node) => {
      if (!node.isUp) return `  log of ${node.id}:  down`
      const { firstIndex, commitIndex } = node.state.log
      const terms = node.terms.map((term, at) => (firstIndex + at === commitIndex ? `${term} |` : `${term}`))
      const start = firstIndex > 1 ? `(snapshot up to ${firstIndex - 1}) ` : ''
      const bar = commitIndex < firstIndex && commitIndex > 0 ? '| ' : ''
      return `  log of ${node.id}:  ${start}${bar}${terms.join(' ')}`
    })
    this.#blocks.push(lines.join('\n'))
  }

  get text(): string {
    let text = ''
    let isAfterRow = false
    for (const block of this.#blocks) {
      const isRow = typeof block !== 'string'
      text += `${isRow && isAfterRow ? '' : '\n'}${isRow ? inColumns(block) : `${block}\n`}`
      isAfterRow = isRow
    }
    return text.trimStart()
  }

  #addRow(left: string, ticksOf?: NodeId): Row {
    const row: Row = { left, right: [], ticks: 0, ...(ticksOf !== undefined && { ticksOf }) }
    if (!this.#isQuiet) this.#blocks.push(row)
    return row
  }

  #observe(id: NodeId, input: Input, answer: Answer<Input>): void {
    if (this.#isQuiet) return
    const lines = this.#did(id, input, answer)
    const row = this.#rowFor(id, input)
    row.right.push(...lines.map((line) => `${id} ${line}`))
  }

  /** The row that this fact stands in: one of its own, or that of the fact before, which brought it about. */
  #rowFor(id: NodeId, input: Input): Row {
    if (this.#told !== undefined) return this.#told
    const last = this.#blocks.at(-1)
    const lastRow = typeof last === 'object' ? last : undefined
    if (input.type === 'tick') {
      const isSame = lastRow?.ticksOf === id && lastRow.right.length === 0
      const row = isSame ? lastRow : this.#addRow('', id)
      row.ticks++
      row.left = `${row.ticks === 1 ? '1 tick passes' : `${row.ticks} ticks pass`} at ${id}`
      return row
    }
    const left = this.#factInWords(id, input)
    if (left !== undefined) return this.#addRow(left)
    return lastRow ?? this.#addRow('')
  }

  /** `undefined`: the fact follows from the one before. */
  #factInWords(id: NodeId, input: Input): string | undefined {
    switch (input.type) {
      case 'message':
        return onItsWay(input.message)
      case 'propose':
        return `client → ${id}  ${commandsOf(input.frame).join(', ')}`
      case 'read':
        return `client → ${id}  read ${input.id}`
      case 'changeMembership':
        return `operator → ${id}  ${changesInWords(input.changes)}`
      case 'transfer':
        return `operator → ${id}  hand over${input.to === undefined ? '' : ` to ${input.to}`}`
      case 'campaign':
        return `${id} is told to campaign`
      case 'compacted':
        return `${id} takes a snapshot up to ${input.snapshot.index}, and cuts its log`
      case 'flushed':
        return this.node(id).disk.isHeld ? `the disk of ${id} finishes a write` : undefined
      default:
        return undefined
    }
  }

  #did(id: NodeId, input: Input, answer: Answer<Input>): string[] {
    const lines: string[] = []
    if (answer !== undefined && 'code' in answer) {
      const why = 'why' in answer ? answer.why : `leader ${answer.leaderId ?? 'unknown'}`
      lines.push(`refuses: ${answer.code}, ${why}`)
    }
    if (input.type === 'endTurn') lines.push(...this.#wished(id, answer as Ready))
    if (input.type === 'flushed') {
      const { messages = [] } = this.#persists.get(`${id} ${input.sequence}`) ?? {}
      const sends = sendingsInWords(messages).map((what) => `sends ${what}`)
      lines.push(['has it on disk', ...sends].join('; '))
    }
    if (input.type === 'applied') lines.push(this.#appliedInWords(id, input.index))
    return lines
  }

  #wished(id: NodeId, { events, messages, persist, apply, reads }: Ready): string[] {
    if (persist !== undefined) this.#persists.set(`${id} ${persist.sequence}`, persist)
    this.#toApply.set(id, apply)
    return [
      ...events.map(eventInWords),
      ...this.#commitsInWords(id),
      ...sendingsInWords(messages.map((message) => this.#withBytes(id, message))).map(
        (what) => `sends ${what}`,
      ),
      ...(persist === undefined ? [] : [writeInWords(persist)]),
      ...reads.map(({ ids, readIndex }) =>
        readIndex === undefined
          ? `gives up read ${ids.join(', ')}`
          : `confirms read ${ids.join(', ')} at ${readIndex}`,
      ),
    ]
  }

  #commitsInWords(id: NodeId): string[] {
    const { commitIndex } = this.node(id).state.log
    const isNews = commitIndex > (this.#commitIndexes.get(id) ?? 0)
    this.#commitIndexes.set(id, commitIndex)
    return isNews ? [`commits up to ${commitIndex}`] : []
  }

  #withBytes(id: NodeId, message: Message): Message {
    if (message.type !== 'appendEntries' || message.mode === 'heartbeat') return message
    return { ...message, entries: this.node(id).runsOf(message.entries) }
  }

  #appliedInWords(id: NodeId, index: number): string {
    const runs = this.#toApply.get(id) ?? []
    this.#toApply.delete(id)
    return runs.length === 0
      ? `restores its state machine up to ${index}`
      : `applies ${entriesInWords(this.node(id).runsOf(runs))}`
  }
}

function onItsWay(message: Message): string {
  return `${message.from} → ${message.to}  ${messageInWords(message)}`
}

/** How often a node asks again depends on the timeout that it drew, so from three times on the number is not told. */
function withoutRepetitions(lines: readonly string[]): string[] {
  const told: string[] = []
  for (let at = 0, next = 0; at < lines.length; at = next) {
    const line = lines[at] ?? ''
    while (lines[next] === line) next++
    if (next - at < 3) told.push(...lines.slice(at, next))
    else told.push(`${line}, again and again`)
  }
  return told
}

function inColumns({ left, right }: Row): string {
  const [first = '', ...rest] = withoutRepetitions(right)
  const fits = left.length < rightColumn - 2 || right.length === 0
  const lines = fits
    ? [`  ${left}`.padEnd(rightColumn) + first]
    : [`  ${left}`, ' '.repeat(rightColumn) + first]
  lines.push(...rest.map((line) => ' '.repeat(rightColumn) + line))
  return lines.map((line) => `${line.trimEnd()}\n`).join('')
}

function wrapped(prose: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of prose.split(/\s+/)) {
    if (line.length + word.length + 1 > proseWidth) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\n')
}
