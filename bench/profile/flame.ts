/**
 * `npm run flame`: where the time goes. clinic flame of the inline host, then a flame graph of each thread of a
 * cluster of threads, all below `.clinic/flame`. Client counts may follow: `npm run flame -- 64 1`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import {
  counted,
  decimal,
  exitCodeOf,
  Failed,
  interruptible,
  reportFailure,
  table,
  wholeNumber,
} from '../../src/terminal/index.js'
import { clinicPage, inlineClients } from './clinic.js'
import { indexPage, type PageOfThread, type PagesOfRun, percent, titled } from './index-page.js'
import { replaceFolder } from './outcome.js'
import { busyShare, hottest, missingRooms, ownFunctions } from './self-time.js'
import { profileThreads, type ThreadProfile } from './threads.js'
import { installProfilers, runTool, zeroxProgram } from './tools.js'

const threadSeconds = 5
const hottestCount = 10
/** What every thread under load runs through. */
const nodeRooms = ['driver', 'raft', 'storage']
const clientRooms = ['cluster', 'load']

async function flame(clientCounts: readonly number[], signal: AbortSignal): Promise<number> {
  await installProfilers(signal)
  const folder = await replaceFolder('flame', async (next, scratch) => {
    console.log(`clinic flame, all nodes in one thread, ${inlineClients} clients`)
    const page = await clinicPage('flame', scratch, signal)
    checkPage('the page of clinic flame', page, [...nodeRooms, 'cluster'])
    writeFileSync(join(next, 'inline.html'), page)
    const runs: PagesOfRun[] = []
    for (const clients of clientCounts) runs.push(await drawThreads(clients, next, scratch, signal))
    const machine = `${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}`
    const takenAt = new Date().toISOString()
    writeFileSync(
      join(next, 'index.html'),
      indexPage({ takenAt, machine, inlineFile: 'inline.html', inlineClients, runs }),
    )
  })
  console.log(`\n${join(folder, 'index.html')}`)
  return 0
}

async function drawThreads(
  clients: number,
  folder: string,
  scratch: string,
  signal: AbortSignal,
): Promise<PagesOfRun> {
  console.log(`\na profile of each thread, ${counted(clients, 'client')}`)
  const run = await profileThreads(clients, threadSeconds, signal)
  const name = `${clients}-clients`
  mkdirSync(join(folder, name))
  console.log(`  ${decimal(run.commitsPerSecond)} commits a second while it was profiled`)
  const threads: PageOfThread[] = []
  for (const thread of run.threads) threads.push(await drawThread(thread, folder, name, scratch, signal))
  for (const thread of threads) console.log(`\n${tableOf(thread)}`)
  return { ...run, threads }
}

/** The profile itself stays beside its page, for other viewers. */
async function drawThread(
  { thread, role, profile }: ThreadProfile,
  folder: string,
  name: string,
  scratch: string,
  signal: AbortSignal,
): Promise<PageOfThread> {
  const file = `${name}/${thread.replace(' ', '-')}.html`
  const profileFile = join(folder, file.replace(/html$/, 'cpuprofile'))
  writeFileSync(profileFile, JSON.stringify(profile))
  const args = ['--visualize-cpu-profile', profileFile, '--output-html', join(folder, file)]
  await runTool(process.execPath, [zeroxProgram, ...args], { cwd: scratch, signal })
  const rooms = thread === 'main' ? clientRooms : nodeRooms
  const page = readFileSync(join(folder, file), 'utf8')
  checkPage(`the page of ${thread}, ${role}`, page, rooms)
  writeFileSync(join(folder, file), titled(page, `${thread}, ${role}: ${name}`))
  return { thread, role, file, busy: busyShare(profile), hottest: hottest(profile, hottestCount) }
}

/** A profiler that saw nothing draws a page all the same. */
function checkPage(what: string, page: string, rooms: readonly string[]): void {
  const missing = missingRooms(page, rooms)
  if (missing.length > 0) throw new Failed(`${what} shows no function of raftbox's ${missing.join(', ')}`)
  const own = ownFunctions(page)
  const some = rooms.map((room) => own.find((found) => found.room === room)?.name)
  console.log(`  ${what} holds ${own.length} functions of raftbox, among them ${some.join(', ')}`)
}

function tableOf({ thread, role, busy, hottest: functions }: PageOfThread): string {
  const rows = functions.map(({ name, place, share }) => [name, place, percent(share)])
  return `${thread}, ${role}, busy ${percent(busy)}\n${table([['', '', 'self time'], ...rows])}`
}

try {
  const parse = wholeNumber('npm run flame -- CLIENTS', 1, 100_000)
  const given = process.argv.slice(2).map(parse)
  const clientCounts = given.length === 0 ? [1024, 1] : [...new Set(given)]
  process.exitCode = await interruptible((signal) => flame(clientCounts, signal))
} catch (error) {
  reportFailure(error)
  process.exitCode = exitCodeOf(error)
}
