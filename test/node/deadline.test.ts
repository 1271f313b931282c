import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { answerWithin } from '../../src/node/deadline.js'
import { RunningTime } from '../../src/node/running-time.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

test('an answer that lies in a port at the deadline is in time', async () => {
  const { port1, port2 } = new MessageChannel()
  const answer = once(port1, 'message').then(([message]) => String(message))
  const answered = answerWithin(answer, 1000, 'late')
  port2.postMessage('in time')
  vi.advanceTimersByTime(5000)
  expect(await answered).toBe('in time')
  port1.close()
})

test('without an answer the deadline ends the wait, and nothing of it stays', async () => {
  const answered = answerWithin(new Promise<string>(() => undefined), 1000, 'late')
  vi.advanceTimersByTime(900)
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(200)
  expect(await answered).toBe('late')
  expect(vi.getTimerCount()).toBe(0)
})

test('an error ends the wait as well', async () => {
  await expect(answerWithin(Promise.reject(new Error('no port')), 1000, 'late')).rejects.toThrow('no port')
  expect(vi.getTimerCount()).toBe(0)
})

test('time in which the thread stood still counts as a moment', () => {
  const time = new RunningTime()
  vi.advanceTimersByTime(60_000)
  const standstillMs = time.now()
  expect(standstillMs).toBe(100)
  for (let look = 0; look < 10; look++) {
    vi.advanceTimersByTime(20)
    time.now()
  }
  expect(time.now() - standstillMs).toBe(200)
})
