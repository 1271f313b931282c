/** A violation that a search has found, as a failure: a step that takes a message names the act that sent the message. */
import type { Message } from '../raft/index.js'
import { appendBytesMaxDefault, areAlike, type Broken, type PlacedStep, Stage } from '../search/index.js'
import { carriedTypeOf } from '../telemetry/index.js'
import { type Act, type Deed, messagesTo } from './acts.js'
import type { FailureList } from './failure.js'

export function failureOfSearch(voters: number, { rule, detail, steps }: Broken): FailureList {
  const size = { voters, appendBytesMax: appendBytesMaxDefault }
  const stage = new Stage(size)
  const sent: (readonly Message[])[] = []
  const acts: Act[] = []
  for (const placed of steps) {
    const deed = deedOf(placed, sent, voters)
    sent.push(stage.take(placed).sent)
    acts.push({ id: sent.length, node: placed.id, deed, isHeld: placed.isHeld })
  }
  return { type: 'list', seed: undefined, found: { rule, detail }, size, acts }
}

function deedOf({ id, step }: PlacedStep, sent: readonly (readonly Message[])[], nodes: number): Deed {
  if (step.type === 'propose') return { type: 'propose' }
  if (step.type !== 'deliver') return step
  const { message } = step
  const kind = carriedTypeOf(message)
  for (const [at, all] of sent.entries()) {
    const nth = messagesTo(id, kind, all).findIndex((each) => areAlike(each, message, nodes))
    if (nth >= 0) return { type: 'take', of: at + 1, kind, nth }
  }
  throw new Error(`no step before sent the ${message.type} that node ${id} takes`)
}
