/**
 * The kinds of words that verbs take. Each kind reads a word, says what it expects where a word is wrong, and offers
 * words to Tab.
 */
import type { ReadFrom } from '../cluster/index.js'
import { RaftError } from '../errors/index.js'
import {
  type Healed,
  type LinkTarget,
  messageKinds,
  parseGroups,
  parseLink,
  parseTarget,
  roleNames,
  type Target,
} from '../faults/index.js'
import type { NodeId } from '../raft/index.js'
import { ungrouped } from '../terminal/index.js'
import {
  brokenBound,
  bytes,
  callRate,
  duration,
  offset,
  putSize,
  rate,
  type Scale,
  scaled,
  share,
  signedShare,
  unitsFor,
} from './scales.js'

export interface Kind<Value> {
  /** As the usage of a verb shows it. */
  readonly usage: string
  /** As an error tells what could stand there. */
  readonly expected: string
  /** All words of this kind, where they can be counted. */
  readonly words?: readonly string[]
  /** The value, or `undefined` for a word that is none of this kind. */
  read(word: string): Value | undefined
  /** The bound that a word breaks which would else be of this kind. */
  bound?(word: string): string | undefined
  /** Words that begin with what was typed. A word that ends with `-` or `>` goes on. */
  offers(typed: string, nodeIds: readonly NodeId[]): readonly string[]
}

/** Subjects that explain tells of. */
const topics = ['election', 'index', 'stall', 'last'] as const

const faultIdsMax = 2 ** 31
const clientsMax = 10_000
const nodeIdMax = Number.MAX_SAFE_INTEGER

const target: Kind<Target> = {
  usage: 'T',
  expected: `a target (the id of a node, several as in 1,3, or ${roleNames.join(', ')})`,
  read: (word) => unlessRefused(() => parseTarget(word)),
  offers(typed, nodeIds) {
    const before = typed.slice(0, typed.lastIndexOf(',') + 1)
    return [...nodeIds, ...roleNames].map((name) => `${before}${name}`)
  },
}

const link: Kind<LinkTarget> = {
  usage: 'LINK',
  expected: 'a link such as 1->3 (one way) or 1-3 (both ways)',
  read: (word) => unlessRefused(() => parseLink(word)),
  offers(typed, nodeIds) {
    const ends = [...nodeIds.map(String), ...roleNames, '*', 'clients']
    const start = /^([^->]+)(->|-)/.exec(typed)
    if (start === null) return ends.flatMap((end) => [`${end}->`, `${end}-`])
    return ends.filter((end) => end !== start[1]).map((end) => `${start[0]}${end}`)
  },
}

const groups: Kind<readonly Target[]> = {
  usage: 'GROUPS',
  expected: 'groups of nodes such as 1,2|3,4,5',
  read: (word) => unlessRefused(() => parseGroups(word)),
  offers: (_, nodeIds) => nodeIds.slice(0, -1).map((_nodeId, at) => splitAt(nodeIds, at)),
}

/** `heal` takes back the faults of a link or of a node, or the fault with a number. */
const healed: Kind<Healed> = {
  usage: 'LINK|T|#N',
  expected: 'a link such as 1->3, a node such as 2 or leader, or the number of a fault such as #3',
  read(word) {
    const faultId = word.startsWith('#') ? readWhole(word.slice(1), 1, faultIdsMax) : undefined
    if (faultId !== undefined) return { faultId }
    const ofLink = link.read(word)
    if (ofLink !== undefined) return { link: ofLink }
    const ofNode = target.read(word)
    return ofNode === undefined ? undefined : { target: ofNode }
  },
  offers: (typed, nodeIds) => [...target.offers(typed, nodeIds), ...link.offers(typed, nodeIds)],
}

/** A clock set ahead or behind, or made too fast or too slow. */
const clock: Kind<{ offsetMs: number } | { drift: number }> = {
  usage: '+50ms|+10%',
  expected: 'an offset such as +50ms or a drift such as +10%',
  read(word) {
    const offsetMs = scaled(offset, word)
    if (offsetMs !== undefined) return { offsetMs }
    const drift = scaled(signedShare, word)
    return drift === undefined ? undefined : { drift }
  },
  bound: (word) => brokenBound(offset, word) ?? brokenBound(signedShare, word),
  offers: (typed) => [...unitsFor(offset, typed), ...unitsFor(signedShare, typed)],
}

const clients: Kind<number | 'off'> = {
  usage: 'CLIENTS|off',
  expected: `how many clients, from 1 to ${clientsMax}, or off`,
  read: (word) => (word === 'off' ? word : readWhole(word, 1, clientsMax)),
  offers: () => ['64', 'off'],
}

/** The node that is to serve a read. */
const reader: Kind<ReadFrom> = {
  usage: 'N|leader|any',
  expected: 'the id of a node, leader or any',
  read: (word) => (word === 'leader' || word === 'any' ? word : readWhole(word, 1, nodeIdMax)),
  offers: (_, nodeIds) => ['leader', 'any', ...nodeIds.map(String)],
}

export const kinds = {
  target,
  link,
  groups,
  healed,
  clock,
  clients,
  reader,
  stale: oneOf(['stale'], 'stale', 'stale'),
  duration: ofScale('DURATION', 'a duration such as 80ms', duration),
  share: ofScale('SHARE', 'a share such as 10%', share),
  drift: ofScale('+10%', 'a drift such as +10%', signedShare),
  rate: ofScale('RATE', 'a rate such as 1MB/s', rate),
  bytes: ofScale('BYTES', 'an amount such as 64kB', bytes),
  putSize: ofScale('BYTES', 'the bytes of a put, such as 1kB', putSize),
  callRate: ofScale('CALLS/s', 'calls a second such as 1000/s', callRate),
  message: oneOf(messageKinds, 'MESSAGE', 'a kind of message such as heartbeat'),
  onOrOff: oneOf(['on', 'off'], 'on|off', 'on or off'),
  renew: oneOf(['renew'], 'renew', 'renew'),
  learner: oneOf(['learner'], 'learner', 'learner'),
  keep: oneOf(['keep'], 'keep', 'keep'),
  topic: oneOf(topics, 'election|index|stall|last', 'election, index, stall or last'),
  count: count('N', 'a term or an index, a whole number from 1'),
  from: count('FROM', 'the index of the first entry'),
  to: count('TO', 'the index of the last entry'),
  follow: oneOf(['--follow'], '--follow', '--follow'),
  key: text('KEY', 'a key'),
  prefix: text('PREFIX', 'the beginning of keys'),
  file: text('FILE', 'the name of a new file'),
  verb: text('VERB', 'a verb'),
  /** The rest of the line, with its spaces. */
  rest: text('VALUE', 'a value'),
} as const satisfies Record<string, Kind<unknown>>

export type KindName = keyof typeof kinds

export type ValueOf<Name extends KindName> = (typeof kinds)[Name] extends Kind<infer Value> ? Value : never

function ofScale(usage: string, expected: string, scale: Scale): Kind<number> {
  return {
    usage,
    expected,
    read: (word) => scaled(scale, word),
    bound: (word) => brokenBound(scale, word),
    offers: (typed) => unitsFor(scale, typed),
  }
}

function oneOf<Word extends string>(words: readonly Word[], usage: string, expected: string): Kind<Word> {
  return { usage, expected, words, read: (word) => words.find((each) => each === word), offers: () => words }
}

function count(usage: string, expected: string): Kind<number> {
  return {
    usage,
    expected,
    read: (word) => readWhole(ungrouped(word), 1, Number.MAX_SAFE_INTEGER),
    offers: () => [],
  }
}

function text(usage: string, expected: string): Kind<string> {
  return { usage, expected, read: (word) => word, offers: () => [] }
}

function readWhole(word: string, least: number, most: number): number | undefined {
  const value = /^\d{1,16}$/.test(word) ? Number(word) : Number.NaN
  return value >= least && value <= most ? value : undefined
}

/** The parsers of faults tell callers in code what is wrong. At a prompt, the grammar tells what could stand there. */
function unlessRefused<Value>(parse: () => Value): Value | undefined {
  try {
    return parse()
  } catch (error) {
    if (error instanceof RaftError) return undefined
    throw error
  }
}

function splitAt(nodeIds: readonly NodeId[], at: number): string {
  return `${nodeIds.slice(0, at + 1).join(',')}|${nodeIds.slice(at + 1).join(',')}`
}
