/** Where traces go. */
import { expect, test } from 'vitest'
import { areTracesAskedFor, placeOf } from '../../src/traces/place.js'

test.each([
  ['http://127.0.0.1:4318', { url: 'http://127.0.0.1:4318/v1/traces' }],
  ['http://127.0.0.1:4318/', { url: 'http://127.0.0.1:4318/v1/traces' }],
  ['https://example.org/own/path', { url: 'https://example.org/own/path' }],
  ['run.jsonl', { file: 'run.jsonl' }],
  ['./http/run', { file: './http/run' }],
])('%s is understood', (to, place) => {
  expect(placeOf(to, {})).toEqual(place)
})

test.each(['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'])(
  'without a place, %s says where',
  (name) => {
    expect(placeOf(undefined, { [name]: 'http://127.0.0.1:4318' })).toEqual({ url: undefined })
  },
)

test.each(['localhost:4318', '127.0.0.1:4318/v1/traces', '[::1]:4318'])(
  '%s lacks its scheme, and is no file',
  (to) => {
    expect(() => placeOf(to, {})).toThrow(`to: the URL of a collector with its scheme, as http://${to}, not`)
  },
)

test.each(['./run:1', 'run:1.jsonl', 'C:\\run:1'])('%s is a file', (to) => {
  expect(placeOf(to, {})).toEqual({ file: to })
})

test.each([
  [undefined, undefined, false],
  ['', undefined, false],
  ['', ' ', false],
  ['', 'http://127.0.0.1:4318', true],
  ['http://127.0.0.1:4318', '', true],
])('of the variables %j for traces and %j for all, a blank one asks for nothing', (ofTraces, ofAll, asks) => {
  const env = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: ofTraces, OTEL_EXPORTER_OTLP_ENDPOINT: ofAll }
  expect(areTracesAskedFor(env)).toBe(asks)
})

test('without any, the refusal says what to give', () => {
  expect(() => placeOf(undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toThrow(
    'to: the URL of a collector, as http://127.0.0.1:4318, or a file, not nothing',
  )
})
