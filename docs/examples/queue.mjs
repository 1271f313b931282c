/** A model of one's own, of a queue: `node queue.mjs` */
import { checkHistory } from 'raftbox/check'

const queue = {
  initial: () => [],
  /** The next state, or undefined if the operation cannot have ended as it did. */
  step: (state, { push, taken, outcome }) => {
    if (push !== undefined) return [...state, push]
    return outcome === 'unknown' || state[0] === taken ? state.slice(1) : undefined
  },
  /** States are arrays, so the checker is told which of them are equal. */
  identityOf: (state) => state.join(),
}

const push = (client, push, call, end) => ({ client, push, call, return: end, outcome: 'ok' })
const take = (client, taken, call, end) => ({ client, taken, call, return: end, outcome: 'ok' })

// The two pushes overlap, so either may be the first; but each comes out once.
const pushes = [push('a', 'x', 1, 4), push('b', 'y', 2, 5)]
console.log(checkHistory([...pushes, take('c', 'y', 6, 7), take('c', 'x', 8, 9)], queue).verdict)
console.log(checkHistory([...pushes, take('c', 'y', 6, 7), take('c', 'y', 8, 9)], queue).verdict)
