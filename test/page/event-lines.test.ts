import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EventLines } from '../../src/page/event-lines.js'

const text = [
  'event: head\ndata: {"run":"a"}\n\n',
  ': keep-alive\n\n',
  'id: 7\nevent: frame\ndata: {"number":7}\n\n',
  'data: one\ndata: two\n\n',
].join('')

const events = [
  { name: 'head', id: undefined, data: '{"run":"a"}' },
  { name: 'frame', id: '7', data: '{"number":7}' },
  { name: 'message', id: undefined, data: 'one\ntwo' },
]

test('events come out of a stream wherever it is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(text.length)), (cuts) => {
      const lines = new EventLines()
      const places = [0, ...cuts.sort((a, b) => a - b), text.length]
      const found = places.slice(1).flatMap((end, at) => lines.take(text.slice(places[at], end)))
      expect(found).toEqual(events)
    }),
  )
})

test('an event that is not whole is not told', () => {
  expect(new EventLines().take('data: 1\n\ndata: 2\n')).toMatchObject([{ data: '1' }])
})
