/** The answers of a message, each given to its request. */
import { endOfResults } from '../machine/index.js'
import type { Settlement } from '../transport/index.js'
import { Answers, AnswersInParts, type AnswersPart } from './answers.js'
import type { Request } from './requests.js'

/** Answers to the whole request, of which `part` are the last or the only ones. */
export function answersOf({ parts }: Request, part: AnswersPart): Answers {
  const { bytes, refused, staleness } = part
  if (parts.length === 0 && refused === undefined && staleness === undefined) return new Answers(bytes, 0, 0)
  parts.push(part)
  return new AnswersInParts(parts)
}

/**
 * Where the results of each applied request end. Nothing but their order tells whose they are: when they are not
 * exactly as many as the message says, they are nobody's.
 */
export function endsOfApplied(settled: readonly Settlement[], results: Uint8Array): number[] | undefined {
  const ends: number[] = []
  let end = 0
  for (const settlement of settled) {
    if (settlement.outcome !== 'applied') continue
    const next = endOfResults(results, end, settlement.count)
    if (next === undefined) return undefined
    ends.push(next)
    end = next
  }
  return end === results.byteLength ? ends : undefined
}
