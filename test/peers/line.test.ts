import { expect, test } from 'vitest'
import { figuresOf } from '../../bench/peers/line.js'

const line = '{"peer":"etcd/raft","commitsPerSecond":1000,"p50ms":0.5,"p99ms":2,"elections":0}'

test('the last line is read, whatever was said before it', () => {
  expect(figuresOf('etcd-raft', `starting\n${line}\n`)).toEqual({
    commitsPerSecond: 1000,
    callsPerSecond: 1000,
    p50ms: 0.5,
    p99ms: 2,
    firstHundredP50ms: undefined,
    elections: 0,
    heartbeatLateP999ms: undefined,
  })
})

test('reads are calls without commits, and heartbeats are taken where they are told', () => {
  const told = { commitsPerSecond: 0, callsPerSecond: 5, p50ms: 1, p99ms: 1, heartbeatLateP999ms: 3 }
  expect(figuresOf('raftbox', JSON.stringify(told))).toEqual({ ...told, elections: 0 })
})

test.each([
  ['nothing', '', 'it printed no figures'],
  ['no JSON', 'panic: no leader\n', "but 'panic: no leader'"],
  ['no object', '7\n', "but '7'"],
  ['no latency', '{"commitsPerSecond":1,"p50ms":1}', 'it printed no p99ms'],
  ['a rate that is text', '{"commitsPerSecond":"many","p50ms":1,"p99ms":1}', 'no commitsPerSecond'],
  ['a rate below nothing', '{"commitsPerSecond":-1,"p50ms":1,"p99ms":1}', 'no commitsPerSecond'],
  ['no commits', '{"commitsPerSecond":0,"p50ms":0,"p99ms":0}', 'it answered no call'],
  ['a lost leader', line.replace('"elections":0', '"elections":1'), 'it lost its leader'],
])('%s is refused', (_, stdout, words) => {
  expect(() => figuresOf('etcd', stdout)).toThrow(words)
})

test("raftbox's own elections are no reason to refuse its figures", () => {
  expect(figuresOf('raftbox', line.replace('"elections":0', '"elections":2')).elections).toBe(2)
})
