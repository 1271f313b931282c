/** Keys that are watched, as the leader sees them and as one node does: live, for as long as the panel is open. */
import { computed, effect, type Signal, signal } from '@preact/signals'
import type { NodeId } from '../raft/index.js'
import type { KeysTold } from '../server/index.js'
import { openStream } from './api.js'
import { type KeysSeen, nothingSeen, rowsOf, withChanges } from './key-table.js'
import { besideId, run } from './store.js'

export const prefix = signal('')

export interface Watch {
  readonly seen: KeysSeen
  /** Why nothing newer is known. */
  readonly trouble: string | undefined
}

const nothing: Watch = { seen: nothingSeen, trouble: undefined }
export const atLeader = signal<Watch>(nothing)
export const atNode = signal<Watch>(nothing)

const rowsMax = 200
const ofLeader = computed(() => atLeader.value.seen.entries)
const ofNode = computed(() => (besideId.value === undefined ? undefined : atNode.value.seen.entries))
/** Made anew when a key has changed. The age of what is seen, which is told each second, makes nothing anew. */
export const keyTable = computed(() => rowsOf(ofLeader.value, ofNode.value, rowsMax))
export const hasMore = computed(() => atLeader.value.seen.hasMore)

/** A prefix that is still being typed is not watched. */
const restMs = 250

/** Watches until the function that is returned is called. Another run is watched anew: none of its keys are known. */
export function beginWatch(): () => void {
  return effect(() => {
    const [begins, nodeId] = [prefix.value, besideId.value]
    void run.value
    let close = () => {}
    const timer = setTimeout(() => {
      atLeader.value = nothing
      atNode.value = nothing
      close = open(begins, nodeId)
    }, restMs)
    return () => {
      clearTimeout(timer)
      close()
    }
  })
}

/** One stream for both views, since a browser keeps few connections to one server. */
function open(begins: string, nodeId: NodeId | undefined): () => void {
  const beside = nodeId === undefined ? {} : { beside: String(nodeId) }
  const views = nodeId === undefined ? [atLeader] : [atLeader, atNode]
  /** Views that this connection has told all keys. */
  const told = new Set<Signal<Watch>>()
  return openStream(`/api/watch?${new URLSearchParams({ prefix: begins, ...beside })}`, {
    onOpen: () => told.clear(),
    onEvents(events) {
      for (const { name, data } of events) {
        const { from, ...news } = JSON.parse(data)
        const view = from === undefined ? atLeader : atNode
        view.value = withNews(view.peek(), name, news, !told.has(view))
        if (name === 'keys') told.add(view)
      }
    },
    onLost(why) {
      for (const view of views) view.value = { ...view.peek(), trouble: why }
    },
  })
}

function withNews({ seen, trouble }: Watch, name: string, news: object, isFirst: boolean): Watch {
  if (name === 'keys') return { seen: withChanges(seen, news as KeysTold, isFirst), trouble: undefined }
  if (name === 'age') return { seen: { ...seen, ...news }, trouble }
  return { seen, trouble: (news as { readonly message: string }).message }
}
