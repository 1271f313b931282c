/** Answers to questions of why: by the sandbox, or out of what this page itself knows. */
import { effect, signal } from '@preact/signals'
import {
  boundsOf,
  type CommandWay,
  type Election,
  explain,
  picture,
  type Question,
} from '../explain/index.js'
import type { Story } from '../telemetry/index.js'
import { doLine, getText, wordsOf } from './api.js'
import { lineOfQuestion } from './feed-lines.js'
import { recordedStory } from './record-source.js'
import { events, head, question, shownNodes, subject } from './store.js'

/** Plain data and words, as `explain` gives them. */
export interface Explained {
  readonly question: Question
  readonly words: string
  readonly data: Election | CommandWay | { readonly type: 'nothing' | 'stall' | 'last' }
}

/** `undefined`: none was asked for, or it is on its way. */
export const explained = signal<Explained | undefined>(undefined)
export const trouble = signal<string | undefined>(undefined)

/** Answers each question as it is asked. A question that comes meanwhile is the one that is answered. */
export function beginAnswers(): () => void {
  return effect(() => {
    const asked = question.value
    explained.value = undefined
    trouble.value = undefined
    if (asked === undefined) return
    let isOver = false
    answerTo(asked).then(
      (answer) => {
        if (!isOver) explained.value = answer
      },
      (error: unknown) => {
        if (!isOver) trouble.value = wordsOf(error)
      },
    )
    return () => {
      isOver = true
    }
  })
}

async function answerTo(asked: Question): Promise<Explained> {
  const story = ownStory()
  if (story !== undefined) {
    const { data, words } = explain(story, asked)
    return { question: asked, words, data }
  }
  const answer = await doLine(lineOfQuestion(asked))
  if (!answer.ok) throw new Error(answer.message)
  return { question: asked, words: answer.words, data: answer as unknown as Explained['data'] }
}

/** Of a record all is here. Of a scenario what happened is here, and neither commands nor messages are. */
function ownStory(): Story | undefined {
  if (subject.peek() === 'record') return recordedStory.peek()
  const told = head.peek()
  if (subject.peek() === 'cluster' || told === undefined) return undefined
  const { heartbeatIntervalMs, electionTimeoutMs, tickMs } = told
  const nodeIds = shownNodes.peek().map(({ nodeId }) => nodeId)
  return {
    ...{ nodeIds, heartbeatIntervalMs, electionTimeoutMs, tickMs },
    ...{ happened: events.peek(), passed: [], carried: [] },
  }
}

/** A picture of who said what to whom, as SVG text. Throws what is wrong with the window, or with the connection. */
export async function pictureBetween(sinceMs: number, untilMs: number): Promise<string> {
  const story = ownStory()
  if (story === undefined)
    return getText(`/api/picture?since=${Math.floor(sinceMs)}&until=${Math.ceil(untilMs)}`)
  const [beganMs] = boundsOf(story)
  return picture(story, { fromMs: sinceMs - beganMs, toMs: untilMs - beganMs })
}

/** The stretch of time that a picture of the answer shows. `undefined`: it has none. */
export function stretchOf({ data }: Explained): readonly [sinceMs: number, untilMs: number] | undefined {
  const { heartbeatIntervalMs } = head.peek() ?? { heartbeatIntervalMs: 0 }
  if (data.type === 'election')
    return [data.leaderlessSinceMs - 3 * heartbeatIntervalMs, data.atMs + heartbeatIntervalMs]
  if (data.type !== 'command') return undefined
  const [first] = data.steps
  const last = data.steps.at(-1)
  if (first === undefined || last === undefined) return undefined
  const marginMs = Math.max(1, (last.atMs - first.atMs) / 4)
  return [first.atMs - marginMs, last.atMs + marginMs]
}
