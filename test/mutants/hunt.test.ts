import type { ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Watch } from './hunt.js'

class Child extends EventEmitter {
  killed: unknown
  readonly stderr = null

  kill(signal: unknown): void {
    this.killed = signal
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }))
afterEach(() => void vi.useRealTimers())

function watched(msMax: number) {
  const child = new Child()
  return { child, watch: new Watch(child as unknown as ChildProcess, msMax) }
}

test('a child that does not get on for too long is ended', async () => {
  const { child, watch } = watched(1000)
  vi.advanceTimersByTime(900)
  watch.restart()
  vi.advanceTimersByTime(900)
  expect([child.killed, watch.isLate]).toEqual([undefined, false])
  vi.advanceTimersByTime(200)
  expect([child.killed, watch.isLate]).toEqual(['SIGKILL', true])
  child.emit('close')
  await watch.end()
})

test('time in which the program that waits was halted does not count: its child stood still too', async () => {
  const { child, watch } = watched(1000)
  const now = vi.spyOn(performance, 'now')
  const halted = performance.now() + 3_600_000
  now.mockImplementation(() => halted)
  vi.advanceTimersByTime(100)
  expect([child.killed, watch.isLate]).toEqual([undefined, false])
  now.mockRestore()
  child.emit('close')
  await watch.end()
})
