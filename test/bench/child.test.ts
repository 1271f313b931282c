import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { runChild, startChild, withFolder } from '../../bench/suite/child.js'
import { temporaryFolder } from '../cli/raftbox.js'

const { env } = process
const signal = new AbortController().signal

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a program ends with all that it has started', async () => {
  const file = join(temporaryFolder(), 'pid')
  const script = `
    const { pid } = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'])
    const { writeFileSync, renameSync } = require('node:fs')
    writeFileSync('${file}.part', String(pid))
    renameSync('${file}.part', '${file}')`
  const child = startChild(process.execPath, ['-e', script], { env })
  await vi.waitFor(() => expect(existsSync(file)).toBe(true), 10_000)
  const pid = Number(readFileSync(file, 'utf8'))
  expect(isRunning(pid)).toBe(true)
  await child.stop()
  await vi.waitFor(() => expect(isRunning(pid)).toBe(false), 10_000)
})

test('what a program has started ends with it, also where that holds its output open', async () => {
  const script = `
    const { pid } = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], {
      stdio: ['ignore', 'inherit', 'ignore'],
    })
    console.log(pid)
    process.exit()`
  const { stdout } = await startChild(process.execPath, ['-e', script], { env }).ended
  await vi.waitFor(() => expect(isRunning(Number(stdout))).toBe(false), 10_000)
})

/** The session of a process stands behind its name, its state, its parent and its group. */
const sessionOf = `require('node:fs').readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ')[3]`
const toldSession = ['-e', `console.log(${sessionOf})`]

test.runIf(process.platform === 'linux')(
  'a program has a session of its own, or shares the one of its starter and ends with it all the same',
  async () => {
    const options = { env, signal, timeoutMs: 60_000 }
    const stat = readFileSync('/proc/self/stat', 'utf8')
    const ours = stat.split(') ')[1]?.split(' ')[3]
    expect((await runChild(process.execPath, toldSession, { ...options, group: 'ours' })).trim()).toBe(ours)
    expect((await runChild(process.execPath, toldSession, options)).trim()).not.toBe(ours)
    const endless = startChild(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], { env, group: 'ours' })
    expect((await endless.stop()).code).toBeNull()
  },
)

test('a program waits for an answer to each of its lines, and is answered once the call resolves', async () => {
  const script = `
    console.log('first')
    process.stdin.once('data', () => {
      console.log('second')
      process.stdin.once('data', () => process.exit())
    })`
  const told: string[] = []
  const answer = async (line: string): Promise<void> => {
    told.push(line)
    await new Promise((resolve) => setImmediate(resolve))
    told.push('answered')
  }
  await runChild(process.execPath, ['-e', script], { env, signal, timeoutMs: 60_000, answer })
  expect(told).toEqual(['first', 'answered', 'second', 'answered'])
})

test('a program that fails is told by the first line of its errors, or as its caller says', async () => {
  const args = ['-e', 'console.error("\\nfirst\\nlast"); process.exitCode = 3']
  const options = { env, signal, timeoutMs: 60_000 }
  await expect(runChild(process.execPath, args, options)).rejects.toThrow(/^first$/)
  const why = ({ code, stderr }: { code: number | null; stderr: string }): string =>
    `${code} ${stderr.trim()}`
  await expect(runChild(process.execPath, args, { ...options, why })).rejects.toThrow('3 first\nlast')
})

test('a folder goes away with what it is for, also when that fails', async () => {
  let path = ''
  const failing = withFolder('test', async (folder) => {
    path = folder
    expect(existsSync(folder)).toBe(true)
    throw new Error('no luck')
  })
  await expect(failing).rejects.toThrow('no luck')
  expect(existsSync(path)).toBe(false)
})
