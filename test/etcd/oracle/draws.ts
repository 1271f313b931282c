/** How random programs draw: what is seldom, and what is a call. */
import fc from 'fast-check'
import type { Message } from './client.js'
import type { Operation } from './program.js'

/** `often` three times of four. */
export const mostly = <T, U>(often: fc.Arbitrary<T>, seldom: fc.Arbitrary<U>): fc.Arbitrary<T | U> =>
  fc.oneof({ arbitrary: often as fc.Arbitrary<T | U>, weight: 3 }, { arbitrary: seldom, weight: 1 })

export const rarely = <T, U>(often: fc.Arbitrary<T>, seldom: fc.Arbitrary<U>): fc.Arbitrary<T | U> =>
  fc.oneof({ arbitrary: often as fc.Arbitrary<T | U>, weight: 30 }, { arbitrary: seldom, weight: 1 })

export const call = (name: string, message: fc.Arbitrary<Message>): fc.Arbitrary<Operation> =>
  message.map((request) => ({ call: name, request }))
