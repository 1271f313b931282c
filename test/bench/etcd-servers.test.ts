/** The three servers, with a stand-in for etcd: a program of that name which answers as a healthy server does. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { type EtcdServersOptions, startEtcdServers } from '../../bench/suite/etcd-servers.js'
import { temporaryFolder } from '../cli/raftbox.js'

afterEach(() => {
  vi.unstubAllEnvs()
})

const healthyServer = `
const flags = Object.fromEntries(process.argv.slice(2).map((flag) => flag.slice(2).split(/=(.*)/s)))
// Whole or not at all: a number cut short by a kill would be read as another process.
fs.writeFileSync(flags['data-dir'] + '.part', String(process.pid))
fs.renameSync(flags['data-dir'] + '.part', flags['data-dir'])
const { hostname, port } = new URL(flags['listen-client-urls'])
http.createServer((_, response) => response.end('{"health":"true"}')).listen(Number(port), hostname)
`

/** Puts a program named etcd into PATH, and returns the folder for its data. */
function standIn(program: string): string {
  const folder = temporaryFolder()
  const head = `#!${process.execPath}\nconst fs = require('node:fs'), http = require('node:http')\n`
  // Whatever a folder further up says of its scripts.
  writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}')
  writeFileSync(join(folder, 'etcd'), head + program, { mode: 0o755 })
  vi.stubEnv('PATH', folder)
  return folder
}

/** What runs under the number that the stand-in has written, if anything. */
function isRunning(folder: string, name: string): boolean {
  const file = join(folder, name)
  if (!existsSync(file)) return false
  try {
    return process.kill(Number(readFileSync(file, 'utf8')), 0)
  } catch {
    return false
  }
}

const names = ['node-1', 'node-2', 'node-3']

const start = (folder: string, options?: Partial<EtcdServersOptions>) =>
  startEtcdServers({ members: 3, folder, ...options })

test('three servers are healthy while they are needed, and gone afterwards', async () => {
  const folder = standIn(healthyServer)
  const servers = await start(folder)
  expect(names.map((name) => isRunning(folder, name))).toEqual([true, true, true])
  expect(new Set(servers.endpoints).size).toBe(3)
  await servers.close()
  expect(names.map((name) => isRunning(folder, name))).toEqual([false, false, false])
})

test('a server that ends is told, and takes the others with it', async () => {
  const folder = standIn(`
    if (process.argv.includes('--name=node-2')) throw 'no room'
    ${healthyServer.replace('"true"', '"false"')}`)
  await expect(start(folder)).rejects.toThrow('etcd ended')
  expect(names.map((name) => isRunning(folder, name))).toEqual([false, false, false])
})

test('an interruption ends the waiting for a leader, and the servers', async () => {
  const folder = standIn(healthyServer.replace('"true"', '"false"'))
  const interruption = new AbortController()
  const starting = start(folder, { signal: interruption.signal })
  starting.catch(() => undefined)
  await vi.waitFor(() => expect(names.every((name) => isRunning(folder, name))).toBe(true), 10_000)
  interruption.abort()
  await expect(starting).rejects.toThrow('aborted')
  expect(names.map((name) => isRunning(folder, name))).toEqual([false, false, false])
})
