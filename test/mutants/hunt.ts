/** The hunt for one mutant: the simulator runs seeds, or the tests run that `killedBy` names. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { RunningTime } from '../../src/node/index.js'
import type { CheckoutCopy } from './checkout-copy.js'
import type { FixedPlan, Mutant } from './mutant.js'

export interface Verdict {
  readonly isKilled: boolean
  /** The property, or the title of the test, that did not hold. `hung`: nothing ended in time, which kills no mutant. */
  readonly by: string
  readonly detail: string
  /** Seeds up to the one that killed it; `null` where tests are to kill it. */
  readonly seeds: number | null
}

/** A seed takes a few seconds of a processor at most. One that takes so long on a busy machine never ends. */
const seedMsMax = 300_000
/** The files of one mutant together. */
const testsMsMax = 900_000
const looksAfterMs = 50

/** The change made something else than the mistake that it stands for. */
const broken = /ReferenceError|SyntaxError|is not a function|is not defined|does not provide an export/
/** The same in an error that the simulator did not expect. */
const brokenInSimulator = /^TypeError/

export async function hunt(
  copy: CheckoutCopy,
  { killedBy, fixed = {} }: Pick<Mutant, 'killedBy' | 'fixed'>,
  seeds: number,
  signal: AbortSignal,
): Promise<Verdict> {
  const verdict =
    killedBy === 'simulator'
      ? await runSeeds(copy, seeds, fixed, signal)
      : await runTests(copy, killedBy, signal)
  signal.throwIfAborted()
  const { by, detail } = verdict
  const isBroken = broken.test(detail) || (by === 'the simulator runs' && brokenInSimulator.test(detail))
  if (!isBroken) return verdict
  return { ...verdict, isKilled: false, by: 'the change is no mistake but no program' }
}

async function runSeeds(
  copy: CheckoutCopy,
  count: number,
  fixed: FixedPlan,
  signal: AbortSignal,
): Promise<Verdict> {
  const child = run(copy, ['dist/test/mutants/seeds.js', '1', String(count), JSON.stringify(fixed)], signal)
  const watch = new Watch(child, seedMsMax)
  let seeds = 0
  let found: { readonly rule?: string; readonly detail?: string } = {}
  for await (const line of createInterface({ input: child.stdout! })) {
    watch.restart()
    found = JSON.parse(line) as typeof found
    seeds++
  }
  await watch.end()
  if (found.rule !== undefined) return { isKilled: true, by: found.rule, detail: found.detail ?? '', seeds }
  if (watch.isLate) return { isKilled: false, by: 'hung', detail: `seed ${seeds + 1}`, seeds }
  if (seeds < count) return { isKilled: false, by: 'the program ended', detail: watch.errors, seeds }
  return { isKilled: false, by: 'nothing', detail: '', seeds }
}

interface TestReport {
  readonly numFailedTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message: string
    readonly assertionResults: readonly {
      readonly status: string
      readonly fullName: string
      readonly failureMessages?: readonly string[]
    }[]
  }[]
}

async function runTests(copy: CheckoutCopy, tests: readonly string[], signal: AbortSignal): Promise<Verdict> {
  const report = join(copy.folder, 'report.json')
  const files = tests.map((test) => `dist/${test.replace(/\.ts$/, '.js')}`)
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--bail', '1', '--maxWorkers', '1']
  const child = run(copy, [...vitest, '--reporter', 'json', '--outputFile', report, ...files], signal)
  const watch = new Watch(child, testsMsMax)
  await watch.end()
  if (signal.aborted) return { isKilled: false, by: 'nothing', detail: '', seeds: null }
  if (watch.isLate) return { isKilled: false, by: 'hung', detail: tests.join(', '), seeds: null }
  if (!existsSync(report))
    return { isKilled: false, by: 'the program ended', detail: watch.errors, seeds: null }
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as TestReport
  rmSync(report)
  for (const file of testResults) {
    const failed = file.assertionResults.find(({ status }) => status === 'failed')
    if (failed === undefined) continue
    return { isKilled: true, by: failed.fullName, detail: failed.failureMessages?.[0] ?? '', seeds: null }
  }
  // A file that could not even be read has no test that failed.
  const unread = testResults.find(
    ({ status, assertionResults }) =>
      status === 'failed' || !assertionResults.some((each) => each.status === 'passed'),
  )
  if (unread === undefined && testResults.length === tests.length)
    return { isKilled: false, by: 'nothing', detail: '', seeds: null }
  const detail = unread === undefined ? tests.join(', ') : `${unread.name}: ${unread.message}`
  return { isKilled: false, by: 'a file has no test that passed', detail, seeds: null }
}

function run(copy: CheckoutCopy, args: readonly string[], signal: AbortSignal): ChildProcess {
  const env = { ...process.env, NO_COLOR: '1' }
  const child = spawn(process.execPath, args, {
    cwd: copy.folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  // An abort is told by the signal.
  child.on('error', () => undefined)
  // Others use the machine as well.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW)
  return child
}

/** Ends a child that does not get on. Time in which this program was halted does not count: its child stood still too. */
export class Watch {
  isLate = false
  /** What the child wrote to standard error. */
  errors = ''
  readonly #ended: Promise<unknown>
  readonly #time = new RunningTime()
  readonly #timer: NodeJS.Timeout
  #sinceMs = 0

  constructor(child: ChildProcess, msMax: number) {
    // An abort is told by the signal.
    this.#ended = once(child, 'close').catch(() => undefined)
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors = (this.errors + text).slice(-4000)
    })
    this.#timer = setInterval(() => {
      if (this.#time.now() - this.#sinceMs < msMax) return
      this.isLate = true
      child.kill('SIGKILL')
    }, looksAfterMs)
  }

  restart(): void {
    this.#sinceMs = this.#time.now()
  }

  async end(): Promise<void> {
    await this.#ended
    clearInterval(this.#timer)
  }
}
