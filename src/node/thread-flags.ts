/**
 * The flags of a node's thread. By default a thread takes over the flags of the program that starts it, and many of them
 * suit a main program only: `--input-type` tells where the program comes from, and a preload may start it once more.
 * Flags of the whole process, such as the size of heaps, hold for its threads in any case.
 */
import type { WorkerOptions } from 'node:worker_threads'

/** Flags by which a thread is measured, as the program is. */
const measuring = [
  ...['--cpu-prof', '--cpu-prof-dir', '--cpu-prof-interval'],
  ...['--heap-prof', '--heap-prof-dir', '--heap-prof-interval'],
]
/** Flags that tell how modules are found and read, for a state machine in TypeScript, for one. */
const loading = [
  ...['--import', '--require', '-r', '--loader', '--experimental-loader', '--conditions', '-C'],
  ...['--experimental-strip-types', '--experimental-transform-types', '--experimental-wasm-modules'],
  ...['--preserve-symlinks', '--enable-source-maps', '--no-warnings', '--disable-warning'],
]
/** Flags whose value may stand in an argument of its own. */
const valued = new Set([
  ...['--cpu-prof-dir', '--cpu-prof-interval', '--heap-prof-dir', '--heap-prof-interval'],
  ...['--import', '--require', '-r', '--loader', '--experimental-loader', '--conditions', '-C'],
  '--disable-warning',
])

/** The flags of the thread of a node, and its environment, in which no other flags hide. */
export function flagsOfThread(hasMachine: boolean): Pick<WorkerOptions, 'execArgv' | 'env'> {
  const { NODE_OPTIONS: options = '', ...env } = process.env
  const flags = [...splitOptions(options), ...process.execArgv]
  return { execArgv: kept(flags, new Set(hasMachine ? [...measuring, ...loading] : measuring)), env }
}

function kept(flags: readonly string[], names: ReadonlySet<string>): string[] {
  const own: string[] = []
  for (let at = 0; at < flags.length; at++) {
    const flag = flags[at] ?? ''
    const hasValue = valued.has(flag)
    if (names.has(flag.split('=', 1)[0] ?? '')) own.push(...flags.slice(at, hasValue ? at + 2 : at + 1))
    if (hasValue) at++
  }
  return own
}

/** As Node splits `NODE_OPTIONS`: at spaces outside of double quotes, in which a backslash takes the next character. */
function splitOptions(options: string): string[] {
  const parts = options.match(/(?:[^\s"]|"(?:\\.|[^"\\])*")+/g) ?? []
  return parts.map((part) =>
    part.replaceAll(/"((?:\\.|[^"\\])*)"/g, (_, quoted: string) => quoted.replaceAll(/\\(.)/g, '$1')),
  )
}
