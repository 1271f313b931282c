/** A store whose reads come from a cache, and the history that gives it away: `node check.mjs` */
import { checkHistory, keyValue, operationWords } from 'raftbox/check'

/** The clients' calls, one object each: also what `raftbox check FILE` reads, as JSON lines. */
const history = []

/** All times are of one clock. Within one process, a counter will do. */
let time = 0
const now = () => ++time

/** Makes a call of a client, and keeps when it was made and how it ended. */
async function recorded(client, asked, call) {
  const begun = { client, ...asked, call: now() }
  try {
    const result = await call()
    history.push({ ...begun, result, return: now(), outcome: 'ok' })
  } catch {
    // No answer: the store may have done it, or may do it later.
    history.push({ ...begun, outcome: 'unknown' })
  }
}

const store = new Map()
const cache = new Map()
const put = (key, value) =>
  recorded('writer', { op: 'put', key, value }, async () => void store.set(key, value))
const get = (key) =>
  recorded('reader', { op: 'get', key }, async () => {
    if (!cache.has(key)) cache.set(key, store.get(key) ?? null)
    return cache.get(key)
  })

await put('color', 'blue')
await get('color')
await put('color', 'green')
await get('color') // the cache still says blue

const { verdict, failures } = checkHistory(history, keyValue)
console.log(verdict)
for (const { window } of failures)
  for (const operation of window) console.log(`${operation.client}: ${operationWords(keyValue, operation)}`)
