/** The cost of the page: in commits under full load, in processors while nothing happens, and in memory over time. */
import { setTimeout as sleep } from 'node:timers/promises'
import { medianOf } from '../../src/report/index.js'
import {
  type BenchCase,
  type Extent,
  type Group,
  higher,
  lower,
  type RunContext,
  type Sample,
} from '../suite/index.js'
import {
  type OpenPage,
  processorSeconds,
  residentBytes,
  type Sandbox,
  showLeader,
  withBrowser,
  withPage,
  withSandbox,
} from './browser.js'
import { slopeOf } from './slope.js'

const clients = 1024
/** The work that a page and its browser do once, as they are opened, is no cost of watching. */
const openingMs = 3000
/** Windows without and with the page, in turn, so that a machine that changes meanwhile changes both. */
const turns = 5
const minutesOf: Readonly<Record<Extent, number>> = { quick: 0.2, usual: 1, long: 10 }

export const page: Group = {
  name: 'page',
  cases: (extent) => [start, underLoad, atRest, overTime(minutesOf[extent])],
}

/** From the command to the leader on the page, in seconds. */
const startMost = 3

const start: BenchCase = {
  name: 'start',
  title: 'from the command to a page that shows the leader',
  parameters: {},
  run: () =>
    withBrowser((open) => {
      const began = performance.now()
      const secondsSince = (): number => (performance.now() - began) / 1000
      return withSandbox(async ({ url }): Promise<Sample> => {
        const ready = secondsSince()
        await showLeader(open, url)
        const shown = secondsSince()
        return {
          figures: [
            lower('secondsToLeader', 's', shown),
            lower('secondsToReady', 's', ready),
            higher('secondsToSpare', 's', startMost - shown, { atLeast: 0 }),
          ],
        }
      })
    }),
}

const underLoad: BenchCase = {
  name: 'load',
  title: `commits of ${clients.toLocaleString('en')} clients without and with an open page`,
  parameters: { clients },
  run: (context) =>
    withSandbox(async (sandbox) => {
      await sandbox.doLine(`load ${clients}`)
      await commitsPerSecond(sandbox, { ...context, seconds: 3 })
      const rates = { without: [] as number[], with: [] as number[], frames: [] as number[] }
      for (let turn = 0; turn < turns; turn++) {
        rates.without.push(await commitsPerSecond(sandbox, context))
        await withPage(sandbox.url, async (open) => {
          await sleep(openingMs, undefined, { signal: context.signal })
          rates.with.push(await commitsPerSecond(sandbox, context))
          // Afterwards: Chromium draws for whoever counts its frames, also what has not changed.
          rates.frames.push(await framesPerSecond(open, context))
        })
      }
      const [bare, watched] = [medianOf(rates.without), medianOf(rates.with)]
      return {
        figures: [
          higher('commitsPerSecondWithPage', '1/s', watched),
          higher('commitsPerSecondWithoutPage', '1/s', bare),
          higher('shareWithPage', '', watched / bare, { atLeast: 0.95 }),
          higher('framesPerSecond', '1/s', medianOf(rates.frames), { atLeast: 30 }),
        ],
      }
    }),
}

const atRest: BenchCase = {
  name: 'rest',
  title: 'processors used while nothing happens, with an open page',
  parameters: {},
  run: (context) =>
    withSandbox(async (sandbox) => {
      const bare = await coresUsed(sandbox.pid, context)
      return withPage(sandbox.url, async (open): Promise<Sample> => {
        await sleep(openingMs, undefined, { signal: context.signal })
        const [process, browser] = await Promise.all([
          coresUsed(sandbox.pid, context),
          coresUsed(open.pid, context),
        ])
        const frames = await framesPerSecond(open, context)
        return {
          figures: [
            lower('sandboxCores', '', process),
            lower('sandboxCoresWithoutPage', '', bare),
            lower('browserCores', '', browser),
            higher('framesPerSecond', '1/s', frames, { atLeast: 30 }),
          ],
        }
      })
    }),
}

function overTime(minutes: number): BenchCase {
  return {
    name: `minutes-${minutes}`,
    title: `memory over ${minutes} minutes of an open page and 64 clients`,
    parameters: { minutes, clients: 64 },
    run: ({ signal }) =>
      withSandbox(async (sandbox) => {
        await sandbox.doLine('load 64')
        return withPage(sandbox.url, async (open): Promise<Sample> => {
          const looks: { readonly heap: number; readonly resident: number }[] = []
          for (let left = minutes * 60; left > 0; left -= 2) {
            await sleep(2000, undefined, { signal })
            looks.push({ heap: await heapBytes(open), resident: residentBytes(sandbox.pid) })
          }
          // Caches fill in the first half.
          const settled = looks.slice(looks.length >> 1)
          const perMinute = (values: readonly number[]): number => slopeOf(values) * 30
          return {
            figures: [
              lower('pageHeapGrowthPerMinute', 'bytes', perMinute(settled.map(({ heap }) => heap))),
              lower('pageHeapBytes', 'bytes', settled.at(-1)?.heap ?? 0),
              lower('sandboxGrowthPerMinute', 'bytes', perMinute(settled.map(({ resident }) => resident))),
              lower('sandboxBytes', 'bytes', settled.at(-1)?.resident ?? 0),
            ],
          }
        })
      }),
  }
}

async function commitsPerSecond(sandbox: Sandbox, { seconds, signal }: RunContext): Promise<number> {
  const [began, before] = [performance.now(), await sandbox.applied()]
  await sleep(seconds * 1000, undefined, { signal })
  return ((await sandbox.applied()) - before) / ((performance.now() - began) / 1000)
}

async function coresUsed(pid: number, { seconds, signal }: RunContext): Promise<number> {
  const [began, before] = [performance.now(), processorSeconds(pid)]
  await sleep(seconds * 1000, undefined, { signal })
  return (processorSeconds(pid) - before) / ((performance.now() - began) / 1000)
}

async function framesPerSecond({ page: shown }: OpenPage, { seconds }: RunContext): Promise<number> {
  const count = await shown.evaluate<number>(`new Promise((done) => {
    const end = performance.now() + ${seconds * 1000}
    let frames = 0
    const step = (now) => now < end ? (frames++, requestAnimationFrame(step)) : done(frames)
    requestAnimationFrame(step)
  })`)
  return count / seconds
}

/** After a collection: what the page holds on to. */
async function heapBytes({ page: shown }: OpenPage): Promise<number> {
  const session = await shown.context().newCDPSession(shown)
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  await session.detach()
  return usedSize
}
