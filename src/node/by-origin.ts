/** Messages between a node and its clients, parted by the origin of their requests: from inside of the cluster, or from outside. */
import { endOfResults } from '../machine/index.js'
import { originOf, type Settlement, type Settlements, type ToNode } from '../transport/index.js'

/** `undefined`: there are no such requests. */
interface Parts<Message> {
  readonly inside: Message | undefined
  readonly outside: Message | undefined
}

/** A message without requests is one from outside. */
export function partsOfRequests(message: ToNode): Parts<ToNode> {
  const { requests } = message
  const inside = requests.filter(({ request }) => originOf(request) === 'inside')
  if (inside.length === 0) return { inside: undefined, outside: message }
  if (inside.length === requests.length) return { inside: message, outside: undefined }
  const others = requests.filter(({ request }) => originOf(request) === 'outside')
  return { inside: { ...message, requests: inside }, outside: { ...message, requests: others, read: [] } }
}

/** Each part has results in memory of its own, since a port hands that memory over. */
export function partsOfAnswers(settlements: Settlements): Parts<Settlements> {
  const { settled, results } = settlements
  const isInside = ({ request }: Settlement) => originOf(request) === 'inside'
  if (!settled.some(isInside)) return { inside: undefined, outside: settlements }
  if (settled.every(isInside)) return { inside: settlements, outside: undefined }
  const taken = { inside: [] as Uint8Array[], outside: [] as Uint8Array[] }
  let end = 0
  for (const settlement of settled) {
    if (settlement.outcome !== 'applied') continue
    const start = end
    end = endOfResults(results, start, settlement.count) ?? results.byteLength
    taken[isInside(settlement) ? 'inside' : 'outside'].push(results.subarray(start, end))
  }
  const joined = (parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts))
  return {
    inside: { settled: settled.filter(isInside), results: joined(taken.inside) },
    outside: { settled: settled.filter((each) => !isInside(each)), results: joined(taken.outside) },
  }
}
