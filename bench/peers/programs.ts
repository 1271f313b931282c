/** How each program is run for one measurement. */
import { fileURLToPath } from 'node:url'
import { commandLine, type Ended, runChild, withFolder } from '../suite/index.js'
import { figuresOf } from './line.js'
import type { Figures, Measurement, PeerName } from './measurement.js'

export interface RunContext {
  readonly seconds: number
  readonly signal: AbortSignal
  /** Where the built programs are. */
  readonly built: ReadonlyMap<PeerName, string>
}

const overApi = fileURLToPath(new URL('./over-api.js', import.meta.url))
const floor = fileURLToPath(new URL('./floor.js', import.meta.url))

/** To start, to warm up, to elect, to sort what was measured, and to clean up. */
const besideMeasuringMs = 40_000

/** Rejects with a `Failed` when the program has no figures to tell. */
export async function perform(
  measurement: Measurement,
  { seconds, signal, built }: RunContext,
): Promise<Figures> {
  const { program } = measurement
  const stdout = await withFolder('peers', async (folder) => {
    // Programs put their files where temporary ones go.
    const options = {
      env: { ...process.env, TMPDIR: folder },
      signal,
      timeoutMs: seconds * 1000 + besideMeasuringMs,
    }
    if (program === 'raftbox') {
      const args = [commandLine, ...raftboxFlags(measurement, seconds)]
      return runChild(process.execPath, args, { ...options, why: lastLineOf })
    }
    const flags = peerFlags(measurement, seconds)
    if (program === 'floor') return runChild(process.execPath, [floor, ...flags], options)
    if (program !== 'raftbox-etcd' && program !== 'etcd') {
      return runChild(pathOf(program, built), flags, options)
    }
    const servers = program === 'etcd' ? 'etcd' : 'raftbox'
    const args = [overApi, `--servers=${servers}`, `--load=${pathOf('etcd', built)}`, ...flags]
    return runChild(process.execPath, args, { ...options, why: lastLineOf })
  })
  return figuresOf(program, stdout)
}

/** raftbox's warnings of a busy machine stand before the reason of a failure. */
function lastLineOf({ code, stderr }: Ended): string {
  return stderr.trim().split('\n').at(-1) || `it ended with exit code ${code}`
}

function pathOf(program: PeerName, built: RunContext['built']): string {
  const path = built.get(program)
  if (path === undefined) throw new Error(`${program} is not built`)
  return path
}

function raftboxFlags(measurement: Measurement, seconds: number): string[] {
  const { nodes, clients, size, durability, batch, workload, reads, heartbeatIntervalMs } = measurement
  const flags = {
    nodes,
    clients,
    size,
    seconds,
    durability,
    batch,
    reads,
    ...(workload && { workload }),
    ...(heartbeatIntervalMs && { heartbeat: heartbeatIntervalMs }),
  }
  return ['bench', ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`), '--json']
}

/** The floor and the Go programs take the same flags. */
function peerFlags({ nodes, clients, size, durability }: Measurement, seconds: number): string[] {
  const flags = Object.entries({ nodes, clients, size, seconds }).map(([name, value]) => `--${name}=${value}`)
  return durability === 'none' ? [...flags, '--memory'] : flags
}
