/** The one door for all questions: the answer as data, and in words. */
import type { LogIndex, Term } from '../raft/index.js'
import type { Story } from '../telemetry/index.js'
import { type CommandWay, explainIndex } from './command-way.js'
import { commandInWords } from './command-words.js'
import { type Election, explainElection, type Nothing } from './election.js'
import { electionInWords } from './election-words.js'
import { explainLast, type Last } from './last.js'
import { lastInWords } from './last-words.js'
import { sentence } from './phrases.js'
import { explainStall, type Stall } from './stall.js'
import { stallInWords } from './stall-words.js'
import { boundsOf } from './timeline.js'

export type Question =
  /** The latest election, or that of a term. */
  | { readonly about: 'election'; readonly term?: Term | undefined }
  | { readonly about: 'index'; readonly index: LogIndex }
  | { readonly about: 'stall' }
  | { readonly about: 'last' }

export interface Explanation {
  /** Plain values: as JSON, what is `undefined` is left out. */
  readonly data: Election | CommandWay | Stall | Last | Nothing
  /** Lines for a terminal. */
  readonly words: string
}

export function explain(story: Story, question: Question): Explanation {
  const data = answerOf(story, question)
  return { data, words: wordsOf(data, story) }
}

function answerOf(story: Story, question: Question): Explanation['data'] {
  switch (question.about) {
    case 'election':
      return explainElection(story, question.term)
    case 'index':
      return explainIndex(story, question.index)
    case 'stall':
      return explainStall(story)
    case 'last':
      return explainLast(story)
  }
}

function wordsOf(data: Explanation['data'], story: Story): string {
  const [beganMs] = boundsOf(story)
  switch (data.type) {
    case 'nothing':
      return sentence(data.why)
    case 'election':
      return electionInWords(data, beganMs)
    case 'command':
      return commandInWords(data, beganMs)
    case 'stall':
      return stallInWords(data, story, beganMs)
    case 'last':
      return lastInWords(data, story, beganMs)
  }
}
