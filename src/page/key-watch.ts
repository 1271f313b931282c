/** Keys that are watched, as the leader sees them and as one node does: live, for as long as the panel is open. */
import { effect, type Signal, signal } from '@preact/signals'
import type { NodeId } from '../raft/index.js'
import type { KeysTold } from '../server/index.js'
import { openStream } from './api.js'
import { type KeysSeen, nothingSeen, withChanges } from './key-table.js'

export const prefix = signal('')
/** The node beside the leader. `undefined`: none. */
export const besideId = signal<NodeId | undefined>(undefined)

export interface Watch {
  readonly seen: KeysSeen
  /** Why nothing newer is known. */
  readonly trouble: string | undefined
}

const nothing: Watch = { seen: nothingSeen, trouble: undefined }
export const atLeader = signal<Watch>(nothing)
export const atNode = signal<Watch>(nothing)

/** A prefix that is still being typed is not watched. */
const restMs = 250

/** Watches until the function that is returned is called. */
export function beginWatch(): () => void {
  const endLeader = effect(() => follow(atLeader, prefix.value, undefined))
  const endNode = effect(() => {
    if (besideId.value === undefined) return
    return follow(atNode, prefix.value, besideId.value)
  })
  return () => {
    endLeader()
    endNode()
  }
}

function follow(watch: Signal<Watch>, begins: string, from: NodeId | undefined): () => void {
  let close = () => {}
  const timer = setTimeout(() => {
    watch.value = nothing
    close = open(watch, begins, from)
  }, restMs)
  return () => {
    clearTimeout(timer)
    close()
  }
}

function open(watch: Signal<Watch>, begins: string, from: NodeId | undefined): () => void {
  const query = new URLSearchParams({ prefix: begins, ...(from === undefined ? {} : { from: String(from) }) })
  let isFirst = true
  return openStream(`/api/watch?${query}`, {
    onOpen() {
      isFirst = true
    },
    onEvents(events) {
      let { seen, trouble } = watch.peek()
      for (const { name, data } of events) {
        if (name === 'keys') {
          seen = withChanges(seen, JSON.parse(data) as KeysTold, isFirst)
          isFirst = false
          trouble = undefined
        } else if (name === 'age') seen = { ...seen, ...JSON.parse(data) }
        else if (name === 'trouble') trouble = (JSON.parse(data) as { readonly message: string }).message
      }
      watch.value = { seen, trouble }
    },
    onLost(why) {
      watch.value = { ...watch.peek(), trouble: why }
    },
  })
}
