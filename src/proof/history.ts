/**
 * What clients asked and were told, held against the ledger. Every answer names a revision, so that it can be
 * placed in the one order of all commands; real time then says between which bounds it has to lie.
 */
import {
  commandOps,
  forEachResult,
  type GetAnswer,
  Memory,
  queryOps,
  type RangeAnswer,
  readGetAnswer,
  readRangeAnswer,
  readSessionAnswer,
  readWriteAnswer,
  sessionAnswerBytes,
  type WriteAnswer,
} from '../machine/index.js'
import { commandHeaderBytes, type LogIndex, type NodeId, type Term } from '../raft/index.js'
import type { RequestType, Settlement, Staleness } from '../transport/index.js'
import type { Checker } from './checker.js'
import { hashOf, isSameBytes } from './kv-model.js'
import { type LedgerEntry, nameOf } from './ledger.js'
import { type Clocks, StaleReads } from './stale-reads.js'

/** A request that a client made. */
export interface Call {
  readonly request: number
  readonly type: RequestType
  readonly commands: readonly Uint8Array[]
  readonly nodeId: NodeId
  /** What was known to be acknowledged, to anyone, when the call began. */
  readonly floorIndex: LogIndex
  /** Of a read: rises once more when its node takes it. */
  floorRevision: number
  /** The latest term that had a leader when the node took it. */
  floorTerm: Term
  /** Whether the call is one of a session. */
  readonly isOfSession: boolean
}

/** What a client is told. */
export type Outcome =
  | { readonly outcome: 'applied'; readonly index: LogIndex; readonly answers: readonly WriteAnswer[] }
  | {
      readonly outcome: 'read'
      readonly answers: readonly (GetAnswer | RangeAnswer)[]
      /** Of a stale read. Where the answers came in parts, that of the last one. */
      readonly staleness: Staleness | undefined
    }
  | { readonly outcome: 'refused'; readonly code: string; readonly leaderId: NodeId | undefined }
  | { readonly outcome: 'unknown'; readonly why: string }

/** How many calls there were, and what came of them. */
export interface CallCounts extends Record<Settlement['outcome'], number> {
  requests: number
  /** Reads that left queries to be asked again. */
  readInPart: number
  /** Of the reads, those that a node was to serve whether it leads or not, and those that were stale. */
  readHere: number
  readStale: number
}

type ReadSettlement = Settlement & { readonly outcome: 'read' }

export class History {
  readonly #checker: Checker
  readonly #counts: CallCounts
  readonly #staleReads: StaleReads
  #floorIndex = 0
  #floorRevision = 0
  /** Commands that are unlike all others, each with whether it was refused; and those that are applied. */
  readonly #refused = new Set<string>()
  readonly #happened = new Set<string>()

  /** With `clocks`, the ages that stale reads tell are checked. */
  constructor(checker: Checker, counts: CallCounts, clocks: Clocks = () => []) {
    this.#checker = checker
    this.#counts = counts
    this.#staleReads = new StaleReads(checker, clocks)
    checker.onCommitted = (entry) => this.#wasCommitted(entry)
  }

  /** Of a session's call, `copyOf` is its first copy, by whose answer all are answered. */
  call(
    request: number,
    type: Call['type'],
    nodeId: NodeId,
    commands: readonly Uint8Array[],
    { isOfSession = false, copyOf }: { isOfSession?: boolean; copyOf?: Call | undefined } = {},
  ): Call {
    this.#counts.requests++
    const { floorIndex, floorRevision } = copyOf ?? {
      floorIndex: this.#floorIndex,
      floorRevision: this.#floorRevision,
    }
    return { request, type, commands, nodeId, floorIndex, floorRevision, floorTerm: 0, isOfSession }
  }

  /**
   * A node takes the call. A round of heartbeats that confirms a read begins after this moment, and no majority
   * that has chosen a later leader answers it (thesis §6.4): so the read shows all that is committed by now,
   * whether a client was told of it or not.
   */
  taken(call: Call): void {
    if (call.type === 'staleRead') return
    const { ledger, latestTerm } = this.#checker
    call.floorTerm = latestTerm
    call.floorRevision = Math.max(call.floorRevision, ledger.last.revision)
  }

  /** The node answers. */
  answered(call: Call, settlement: Settlement): void {
    if (settlement.outcome !== 'read') return
    const { staleness } = settlement
    if ((call.type === 'staleRead') !== (staleness !== undefined))
      this.#report('stale reads', call, 'tells how stale it is, or does not, against its kind')
    const lie = staleness && this.#staleReads.lieIn(call.nodeId, staleness)
    if (lie !== undefined) this.#report('stale reads', call, lie)
    const term = this.#checker.termOf(call.nodeId)
    if (term < call.floorTerm)
      this.#report(
        'linearizable reads',
        call,
        `was served in term ${term}, when ${call.floorTerm} had a leader`,
      )
  }

  /** The client learns how its call ended. `bytes` are the results of this settlement. */
  settled(call: Call, settlement: Settlement, bytes: Uint8Array): Outcome {
    this.#counts[settlement.outcome]++
    switch (settlement.outcome) {
      case 'applied':
        return call.isOfSession ? this.#ofSession(call, bytes) : this.#applied(call, settlement.index, bytes)
      case 'read':
        return this.#read(call, settlement, bytes)
      case 'refused':
        return this.#wasRefused(call, settlement)
      case 'unknown':
        return { outcome: 'unknown', why: settlement.why }
    }
  }

  /** The first result tells what became of the call. The call may be in the log where an earlier copy of it is. */
  #ofSession(call: Call, bytes: Uint8Array): Outcome {
    const answer = readSessionAnswer(new Memory(bytes).view, commandHeaderBytes)
    if (answer === undefined) this.#report('results', call, 'was not told what became of its session')
    const { status, index } = answer ?? { status: 'forgotten', index: 0 }
    if (status === 'applied')
      return this.#applied(call, index, bytes.subarray(commandHeaderBytes + sessionAnswerBytes))
    if (status === 'forgotten') return { outcome: 'unknown', why: 'its results are forgotten' }
    return { outcome: 'refused', code: status, leaderId: undefined }
  }

  /** Acknowledged writes are in the log where the answer says, with the result that it gives. */
  #applied(call: Call, index: LogIndex, bytes: Uint8Array): Outcome {
    const answers: WriteAnswer[] = []
    const rule = 'acknowledged writes are never lost'
    const source = new Memory(bytes)
    forEachResult({ bytes, count: call.commands.length }, (start, end, position) => {
      const answer = readWriteAnswer(source, start, end)
      answers.push(answer)
      const entry = this.#checker.ledger.committed[index + position]
      const command = call.commands[position]
      if (entry === undefined || command === undefined || !isSameBytes(entry.command, command))
        this.#report(
          rule,
          call,
          `was applied at ${index + position}, and the ledger has another command there`,
        )
      else if (entry.result?.revision !== answer.revision || entry.result.status !== answer.status)
        this.#report(
          'results',
          call,
          `was told ${answer.status} at revision ${answer.revision} for ${nameOf(entry)}, not ${entry.result?.status} at ${entry.result?.revision}`,
        )
      else this.#floorRevision = Math.max(this.#floorRevision, answer.revision)
    })
    // Real time: what was acknowledged before this call began stands before it.
    if (index <= call.floorIndex)
      this.#report('real-time order', call, `got index ${index}, not after ${call.floorIndex}`)
    this.#floorIndex = Math.max(this.#floorIndex, index + call.commands.length - 1)
    return { outcome: 'applied', index, answers }
  }

  /** A read shows the state at one revision, not before any that was known when the read was called. */
  #read(call: Call, { count, staleness }: ReadSettlement, bytes: Uint8Array): Outcome {
    const answers: (GetAnswer | RangeAnswer)[] = []
    const stateRevision = staleness && this.#checker.ledger.committed[staleness.index]?.revision
    const source = new Memory(bytes)
    if (count < 1 || count > call.commands.length)
      this.#report('results', call, `has queries: ${call.commands.length}, and answers: ${count}`)
    if (count < call.commands.length) this.#counts.readInPart++
    if (call.type === 'readHere') this.#counts.readHere++
    if (call.type === 'staleRead') this.#counts.readStale++
    forEachResult({ bytes, count }, (start, end, position) => {
      const query = call.commands[position]
      if (query === undefined) return
      const isRange = query[0] === queryOps.range
      const answer = isRange ? readRangeAnswer(source, start) : readGetAnswer(source, start, end)
      answers.push(answer)
      const { revision } = answer
      if (staleness !== undefined && revision !== stateRevision)
        this.#report(
          'stale reads',
          call,
          `saw revision ${revision}, and ${staleness.index} is ${stateRevision}`,
        )
      if (staleness === undefined && revision < call.floorRevision)
        this.#report('linearizable reads', call, `saw revision ${revision}, not ${call.floorRevision}`)
      this.#floorRevision = Math.max(this.#floorRevision, revision)
      const isTrue =
        'records' in answer ? this.#isRangeTrue(answer) : this.#isGetTrue(query.subarray(1), answer)
      if (!isTrue) this.#report('linearizable reads', call, `got what was not the state at ${revision}`)
    })
    return { outcome: 'read', answers, staleness }
  }

  #isGetTrue(key: Uint8Array, answer: GetAnswer | RangeAnswer): boolean {
    const { model } = this.#checker
    if (answer.revision > model.revision) return false
    const record = model.recordAt(key, answer.revision)
    const told = 'record' in answer ? answer.record : undefined
    if (record === undefined || told === undefined) return record === told
    return record.modRevision === told.modRevision && isSameBytes(record.value, told.value)
  }

  #isRangeTrue(answer: RangeAnswer & { readonly status: 'found' }): boolean {
    const digest = answer.records.reduce((sum, record) => sum + hashOf(record.key, record), 0)
    return this.#checker.model.digestAt(answer.revision) === digest
  }

  #wasRefused(call: Call, settlement: Settlement & { readonly outcome: 'refused' }): Outcome {
    const { code, leaderId } = settlement
    // A copy of a session's call may happen where this one was refused.
    if (call.type === 'propose' && !call.isOfSession) {
      for (const command of call.commands) {
        const name = uniqueName(command)
        if (name === undefined) continue
        this.#refused.add(name)
        if (this.#happened.has(name))
          this.#report('refused never happens', call, `was refused as ${code}, and one command is applied`)
      }
    }
    return { outcome: 'refused', code, leaderId }
  }

  #wasCommitted(entry: LedgerEntry): void {
    this.#staleReads.committed(entry.index)
    // The log may hold many copies of a session's call, of which one is applied.
    const name = entry.result && uniqueName(entry.command)
    if (name === undefined) return
    if (this.#refused.has(name))
      this.#checker.report('refused never happens', `${nameOf(entry)} was refused, and is applied`)
    if (this.#happened.has(name))
      this.#checker.report('exactly once', `the command of ${nameOf(entry)} is applied twice`)
    this.#happened.add(name)
  }

  #report(rule: string, { request, type, nodeId }: Call, what: string): void {
    this.#checker.report(rule, `request ${request}, a ${type} to node ${nodeId}, ${what}`)
  }
}

/** Clients never write the same twice, but they may delete the same key. */
function uniqueName(command: Uint8Array): string | undefined {
  if (command.byteLength === 0 || command[0] === commandOps.delete) return undefined
  return String.fromCharCode(...command)
}
