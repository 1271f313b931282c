/** All verbs, by name, with all that is made from them: commands of lines, their doing, completion and help. */
import type { NodeId } from '../raft/index.js'
import { BadInput } from '../terminal/index.js'
import { completeBy } from './complete.js'
import { dataVerbs } from './data-verbs.js'
import { explainVerb } from './explain-verb.js'
import { faultVerbs } from './fault-verbs.js'
import { type Kind, kinds } from './kinds.js'
import { logVerb } from './log-verb.js'
import { memberVerbs } from './member-verbs.js'
import { parseBy, unknownVerb } from './parse.js'
import { snapshotVerb } from './snapshot-verb.js'
import { type Acting, type Answer, type Command, conversationVerb, type Verb } from './verb.js'
import { watchVerbs } from './watch-verbs.js'

const conversationVerbs = [
  conversationVerb('events', {
    explanation: 'whether to tell what happens, and why (at first: on)',
    slots: [{ kind: 'onOrOff', as: 'word' }],
    run(conversation, { word }) {
      conversation.showsEvents = word === 'on'
      return { data: { events: word }, words: '' }
    },
  }),
  conversationVerb('help', {
    explanation: 'all verbs, or how one is used',
    slots: [{ kind: 'verb', as: 'name', isOptional: true }],
    run: (_, { name }) => helpOn(name),
  }),
  conversationVerb('quit', {
    explanation: 'ends the sandbox; so does the end of the input',
    run(conversation) {
      conversation.isEnded = true
      return { data: {}, words: '' }
    },
  }),
]

/** In the order in which `help` lists them. */
export const verbs: readonly Verb[] = [
  ...watchVerbs,
  logVerb,
  explainVerb,
  ...dataVerbs,
  ...faultVerbs,
  ...memberVerbs,
  snapshotVerb,
  ...conversationVerbs,
]

/** The words of verbs that mean the same wherever they stand: no name of a node may be one. */
export const wordsOfVerbs: readonly string[] = verbs.flatMap(({ name, slots, suffixes }) => [
  name,
  ...suffixes.flatMap(({ word }) => word ?? []),
  ...[...slots, ...suffixes].flatMap(({ kind }) => (kinds[kind] as Kind<unknown>).words ?? []),
])

const byName: ReadonlyMap<string, Verb> = new Map(verbs.map((verb) => [verb.name, verb]))

/**
 * The command that a line stands for; `undefined` for an empty line. Throws `BadInput` that says up to where the line
 * was understood, and what could stand there.
 */
export function parse(line: string): Command | undefined {
  return parseBy(byName, line)
}

/** Carries out a command. Throws what the verb threw: bad input has changed nothing. */
export async function perform(acting: Acting, { verb: name, ...fields }: Command): Promise<Answer> {
  const verb = byName.get(name)
  if (verb === undefined) throw new BadInput(unknownVerb(byName, name))
  return verb.run(acting, fields)
}

/** The words that Tab offers at the end of a line, and what was typed of them so far. */
export function complete(
  line: string,
  nodeIds: readonly NodeId[],
): readonly [offers: readonly string[], typed: string] {
  return completeBy(byName, line, nodeIds)
}

function helpOn(name: string | undefined): Answer {
  const told = name === undefined ? verbs : verbs.filter((verb) => verb.name === name)
  const [first] = told
  if (first === undefined) throw new BadInput(unknownVerb(byName, name ?? ''))
  return {
    data: { verbs: told.map(({ name, usage, explanation }) => ({ name, usage, explanation })) },
    words: name === undefined ? listOfVerbs() : helpOnVerb(first),
  }
}

function listOfVerbs(): string {
  const width = Math.max(...verbs.map(({ shortUsage }) => shortUsage.length))
  const lines = verbs.map(({ shortUsage, explanation }) => `${shortUsage.padEnd(width)}  ${explanation}`)
  return [...lines, 'help VERB tells how a verb is used; a fault may end with for 10s'].join('\n')
}

function helpOnVerb({ usage, explanation, slots, suffixes }: Verb): string {
  const taken = [...new Set([...slots, ...suffixes].map(({ kind }) => kind))]
  const lines = taken.map((kind) => {
    const { usage, expected, words = [] } = kinds[kind] as Kind<unknown>
    // Of a few words, all are in the usage.
    return `  ${usage}: ${expected}${words.length > 4 ? ` (${words.join(', ')})` : ''}`
  })
  return [usage, `  ${explanation}`, ...lines].join('\n')
}
