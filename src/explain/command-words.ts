/** The way of a command in words. */
import { nodesOf } from '../telemetry/index.js'
import type { CommandWay, Part } from './command-way.js'
import type { Step } from './passings.js'
import { moment, sentence, span } from './phrases.js'

export function commandInWords(way: CommandWay, beganMs: number): string {
  const { index, leaderId, isCommitted, isOpening, steps, lostAt, decidedBy, committedBy, slowest } = way
  const [first] = steps
  const firstMs = first?.atMs ?? 0
  const from = isOpening ? 'the empty entry with which node' : 'taken from a client by node'
  const end = isOpening ? ' opened its term' : ''
  const head = leaderId === undefined ? `Index ${index}` : `Index ${index}, ${from} ${leaderId}${end}`
  const state = isCommitted ? '' : ', is not committed as far as is known'
  const lines = [sentence(`${head}${state}; times count from its first step, at ${moment(firstMs, beganMs)}`)]
  if (lostAt.length > 0) {
    lines.push(sentence(`${nodesOf(lostAt)} had another command there before, which no majority held`))
  }
  for (const step of steps)
    lines.push(`  ${`+${span(step.atMs - firstMs)}`.padStart(10)}  ${stepInWords(step)}`)
  if (decidedBy !== undefined) {
    const decider = decidedBy === leaderId ? "the leader's own disk" : `node ${decidedBy}`
    lines.push(sentence(`The majority was made by ${decider}`))
  }
  if (committedBy !== undefined) {
    lines.push(sentence(`Node ${committedBy.nodeId} committed it, as leader of term ${committedBy.term}`))
  } else if (leaderId !== undefined && way.parts.length === 0 && isCommitted) {
    lines.push(
      sentence(
        `What node ${leaderId} did first is no longer kept, so that nobody can tell what took longest`,
      ),
    )
  }
  if (slowest !== undefined) lines.push(sentence(slowestInWords(slowest, way)))
  return lines.join('\n')
}

function stepInWords({ nodeId, stage, peer }: Step): string {
  switch (stage) {
    case 'appended':
      return `node ${nodeId} put it into its log`
    case 'sent':
      return `node ${nodeId} sent it to node ${peer}`
    case 'received':
      return `node ${nodeId} received it from node ${peer}`
    case 'flushed':
      return `node ${nodeId} had it on its disk`
    case 'acknowledged':
      return `node ${nodeId} heard that the disk of node ${peer} holds it`
    case 'committed':
      return `node ${nodeId} knew that it is committed`
    case 'applied':
      return `node ${nodeId} applied it to its state machine`
    case 'answered':
      return `node ${nodeId} answered the client`
  }
}

/** The slowest part of the way, and its share. */
function slowestInWords({ from, to, tookMs }: Part, { parts }: CommandWay): string {
  const allMs = parts.reduce((sum, part) => sum + part.tookMs, 0)
  const share = allMs > 0 ? `, ${Math.round((100 * tookMs) / allMs)}% of the way to the answer` : ''
  return `Slowest was ${partInWords(from, to)}: ${span(tookMs)}${share}`
}

export function partInWords(from: Step, to: Step): string {
  switch (to.stage) {
    case 'sent':
      return `the time until node ${to.nodeId} sent it on`
    case 'received':
      return `the link from node ${from.nodeId} to node ${to.nodeId}`
    case 'flushed':
      return `the disk of node ${to.nodeId}`
    case 'acknowledged':
      return `the way of the acknowledgement from node ${to.peer} to node ${to.nodeId}`
    case 'committed':
      return `the time until node ${to.nodeId} counted it as committed`
    case 'applied':
      return `the state machine of node ${to.nodeId}`
    default:
      return `the time until node ${to.nodeId} ${to.stage} it`
  }
}
