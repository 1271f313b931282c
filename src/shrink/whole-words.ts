/** Acts of whole nodes, and what came of them, in words. */
import { queryOps, readCommand } from '../machine/index.js'
import type { NodeId } from '../raft/index.js'
import { wordsOf } from '../search/index.js'
import type { Outcome } from '../sim/index.js'
import { describeHappened } from '../telemetry/index.js'
import type { WholeAct } from './whole-acts.js'
import type { Answer } from './whole-clients.js'
import type { WholePlayed } from './whole-scene.js'

/** Characters of a value that are shown. */
const shownMax = 12

export function wholeWordsOf({ act, taken }: WholePlayed): string {
  const { node, struck } = act
  const words =
    taken === undefined
      ? deedInWords(act)
      : wordsOf({ id: node, step: { type: 'deliver', message: taken }, isHeld: false })
  if (struck === undefined) return words
  const ends = struck.how === 'kill' ? 'is killed' : 'loses its power'
  return `${words}; it ${ends} at the moment ${struck.moment}, and starts again`
}

/** The consequences of an act: events of the nodes, and answers. `tickMs` tells times in milliseconds. */
export function reasonsOf({ happened, answers }: WholePlayed, tickMs: number): string[] {
  return [...happened.map((event) => describeHappened(event, tickMs)), ...answers.map(answerInWords)]
}

function deedInWords({ node, deed }: WholeAct): string {
  const ofNode = (step: Parameters<typeof wordsOf>[0]['step']): string =>
    wordsOf({ id: node, step, isHeld: false })
  switch (deed.type) {
    case 'take':
      return `node ${node} takes ${deed.kind} of step ${deed.of}`
    case 'pass':
      return `${deed.ms} ms pass`
    case 'timeOut':
    case 'change':
      return ofNode(deed)
    case 'transfer':
      return deed.to === undefined
        ? `node ${node} is asked to hand over`
        : ofNode({ type: 'transfer', to: deed.to })
    case 'crash':
      return deed.how === 'kill' ? `node ${node} is killed, and starts again` : ofNode({ type: 'crash' })
    case 'snapshot':
      return `node ${node} takes a snapshot, and cuts its log behind it`
    case 'stall':
      return `the disk of node ${node} holds writes back from now on`
    case 'flush':
      return `the disk of node ${node} flushes what it held back`
    case 'pause':
      return `node ${node} is paused`
    case 'resume':
      return `node ${node} goes on, if it was paused`
    case 'launch':
      return `node ${node} starts for the first time, with an empty disk`
    case 'skew':
      return skewInWords(node, deed.offsetMs, deed.drift)
    case 'register':
      return `a client asks node ${node} for a session of ${deed.timeoutMs} ms`
    case 'call':
      return `the client of step ${deed.session} asks node ${node}, by its call ${deed.sequence}: ${deed.commands.map(commandInWords).join(', ')}`
    case 'ask':
      return `a client asks node ${node}${mannerOf[deed.what]}: ${deed.commands.map(deed.what === 'propose' ? commandInWords : queryInWords).join(', ')}`
  }
}

const mannerOf = {
  propose: '',
  read: '',
  readHere: ', whether it leads or not',
  staleRead: ', and takes an answer that may be stale',
} as const

function skewInWords(node: NodeId, offsetMs: number, drift: number): string {
  if (offsetMs === 0 && drift === 0) return `the clock of node ${node} is as it was made`
  const parts: string[] = []
  if (offsetMs !== 0)
    parts.push(`is set ${rounded(Math.abs(offsetMs))} ms ${offsetMs > 0 ? 'ahead' : 'back'}`)
  if (drift !== 0) parts.push(`runs ${rounded(100 * Math.abs(drift))} % too ${drift > 0 ? 'fast' : 'slow'}`)
  return `the clock of node ${node} ${parts.join(' and ')}`
}

function rounded(value: number): number {
  return Math.round(100 * value) / 100
}

function queryInWords(bytes: Uint8Array): string {
  return bytes[0] === queryOps.get ? `get ${textOf(bytes.subarray(1))}` : 'get all keys'
}

function commandInWords(bytes: Uint8Array): string {
  const command = readCommand(bytes)
  if (command === undefined) return 'a command'
  const key = textOf(command.key)
  if (command.op === 'delete') return `delete ${key}`
  if (command.op !== 'cas') return `${command.op} ${key} ${shown(command.value)}`
  const expected = command.expected === undefined ? 'nothing' : shown(command.expected)
  return `put ${key} ${shown(command.value)} in place of ${expected}`
}

/** Values are filled up to their length. */
function shown(value: Uint8Array): string {
  const text = textOf(value).replace(/_+$/, '')
  return text.length <= shownMax ? text : `${text.slice(0, shownMax)}…`
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

function answerInWords({ act, outcome }: Answer): string {
  return `the client of step ${act} is told: ${outcomeInWords(outcome)}`
}

function outcomeInWords(outcome: Outcome): string {
  switch (outcome.outcome) {
    case 'applied':
      return `applied at index ${outcome.index}`
    case 'read':
      return `read at revision ${Math.max(...outcome.answers.map(({ revision }) => revision))}`
    case 'refused':
      return `refused, ${outcome.code}`
    case 'unknown':
      return `nobody knows, since ${outcome.why}`
  }
}
