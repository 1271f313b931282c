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
