/** A verb: its name, its grammar, its help and what it does. */
import { BadInput } from '../terminal/index.js'
import { type FieldsOf, type Slot, type Suffix, usageOf } from './grammar.js'
import type { Subject } from './subject.js'

/** The result of a verb: the same for programs and for people. */
export interface Answer {
  /** Plain data, whose names an answer in JSON has as its fields. */
  readonly data: Readonly<Record<string, unknown>>
  /** Lines for people. Empty: there is nothing to say. */
  readonly words: string
}

/** A conversation at a prompt or in a script, which some verbs change. A scenario has none. */
export interface Conversation {
  showsEvents: boolean
  isEnded: boolean
  /** The other end is a program that came over a socket: nothing is written to files for it. */
  readonly isRemote?: boolean
  /** Looks again and again, and tells what it finds, until the next line. Absent where each line has one answer. */
  follow?(look: () => Promise<string>): void
}

/** The cluster, and the conversation if there is one, that a verb acts on. */
export interface Acting {
  readonly subject: Subject
  readonly conversation?: Conversation
}

/** A line that was understood, as plain data. */
export interface Command {
  readonly verb: string
  readonly [field: string]: unknown
}

export interface Verb {
  readonly name: string
  readonly usage: string
  /** For the list of all verbs: without the suffixes of faults, where the grammar says the usage. */
  readonly shortUsage: string
  /** Its effect, in a few words. */
  readonly explanation: string
  readonly slots: readonly Slot[]
  readonly suffixes: readonly Suffix[]
  /** Whether it needs a conversation. */
  readonly isOfConversation: boolean
  run(acting: Acting, fields: Fields): Promise<Answer> | Answer
}

/** The values of a command by their names, as the grammar of its verb says. */
export type Fields = Readonly<Record<string, unknown>>

interface Definition<Slots extends readonly Slot[], Suffixes extends readonly Suffix[]> {
  readonly explanation: string
  /** The words that may stand behind the name, where some words go only with some others. By default, as the grammar says. */
  readonly usage?: string
  readonly slots?: Slots
  readonly suffixes?: Suffixes
  run(
    subject: Subject,
    fields: FieldsOf<Slots, Suffixes>,
    conversation: Conversation | undefined,
  ): Promise<Answer> | Answer
}

export function verb<const Slots extends readonly Slot[] = [], const Suffixes extends readonly Suffix[] = []>(
  name: string,
  { explanation, usage, slots, suffixes, run }: Definition<Slots, Suffixes>,
): Verb {
  const grammar = { slots: slots ?? [], suffixes: suffixes ?? [] }
  return {
    name,
    explanation,
    ...grammar,
    usage: usage === undefined ? usageOf(name, grammar.slots, grammar.suffixes) : `${name} ${usage}`,
    shortUsage:
      usage === undefined
        ? usageOf(name, grammar.slots, grammar.suffixes.filter(isNotOfFaults))
        : `${name} ${usage}`,
    isOfConversation: false,
    // The grammar by which the line was read is that of the fields' types.
    run: ({ subject, conversation }, fields) =>
      run(subject, fields as FieldsOf<Slots, Suffixes>, conversation),
  }
}

/** Many faults take times and kinds of messages, and the list would be wide. */
function isNotOfFaults({ kind }: Suffix): boolean {
  return kind !== 'duration' && kind !== 'message'
}

interface OfConversation<Slots extends readonly Slot[]> {
  readonly explanation: string
  readonly slots?: Slots
  run(conversation: Conversation, fields: FieldsOf<Slots, []>): Answer
}

/** A verb that changes the conversation, and nothing in the cluster. */
export function conversationVerb<const Slots extends readonly Slot[] = []>(
  name: string,
  { run, ...definition }: OfConversation<Slots>,
): Verb {
  const ofCluster = verb<Slots>(name, {
    ...definition,
    run(_, fields, conversation) {
      if (conversation === undefined) throw new BadInput(`${name} is for the prompt of the sandbox`)
      return run(conversation, fields)
    },
  })
  return { ...ofCluster, isOfConversation: true }
}
