/** A client of a cluster: calls for its machine, each checked before it is packed beside the others. */
import { checkOptions, RaftError } from '../errors/index.js'
import { commandHeaderBytes, forEachCommand, isBytes, isWellFormed, lengthOfBytes } from '../raft/index.js'
import { KvClient } from './kv-client.js'
import { machineKnownBy, takesKvCommands } from './kv-commands.js'
import { type Applied, applied, result } from './outcomes.js'
import { type ReadOptions, readingAt, readOptionNames, type Stale, type StaleReadOptions } from './read-at.js'
import type { Calls, Reading } from './readings.js'
import { invalid, taking } from './refusals.js'
import { CallFrame, callBytesMax } from './requests.js'

export class ClusterClient implements Calls {
  /** The client of the key-value store. */
  readonly kv: KvClient
  readonly #calls: Calls

  /** Use `Cluster.client`. */
  constructor(calls: Calls, machine: string | undefined) {
    this.#calls = calls
    this.kv = new KvClient(takesKvCommands(machineKnownBy(machine)) ? calls : without(machine))
  }

  /** Commands for a state machine of one's own, applied one after the other with nothing in between. */
  propose(commands: Uint8Array | readonly Uint8Array[]): Promise<Applied> {
    return taking(() => {
      const own = commandsOf('commands', Array.isArray(commands) ? commands : [commands])
      return this.#calls.call(applied(own.length), writeAll, own)
    })
  }

  /** A linearizable query of a state machine of one's own. Or a stale one. */
  query(query: Uint8Array, options?: ReadOptions): Promise<Buffer>
  query(query: Uint8Array, options: StaleReadOptions): Promise<Stale<Buffer>>
  query(query: Uint8Array, options: ReadOptions | StaleReadOptions = {}): Promise<Buffer | Stale<Buffer>> {
    return taking(() => {
      checkOptions('query', options, readOptionNames)
      const own = commandsOf('query', [query])
      return this.#calls.call<Buffer | Stale<Buffer>, [Uint8Array[]]>(
        readingAt(result, options),
        writeAll,
        own,
      )
    })
  }

  /**
   * A call of a client for a machine of one's own, as `kv` is one. `write` packs into a frame of the call's own, whose
   * commands then go into the frame of the turn: code of the caller never touches the commands of other calls.
   */
  call<Outcome, Parts extends unknown[]>(
    reading: Reading<Outcome>,
    write: (into: CallFrame, ...parts: Parts) => void,
    ...parts: Parts
  ): Promise<Outcome> {
    return taking(() => {
      const own = new OwnFrame()
      const known = checked(reading)
      if (typeof write !== 'function') throw invalid('write', 'a function that packs commands', typeof write)
      write(own, ...parts)
      return this.#calls.call(known, writeAll, commandsIn(own))
    })
  }
}

/** The calls of a key-value client whose cluster has another machine, which would not understand them. */
function without(machine: string | undefined): Calls {
  const expected = 'the key-value store: use propose and query with a machine of your own'
  return {
    call: () =>
      Promise.reject(new RaftError('INVALID_OPTION', { option: 'machine', expected, actual: machine })),
  }
}

function writeAll(into: CallFrame, commands: readonly Uint8Array[]): void {
  for (const command of commands) into.append(command)
}

/** A reading may come from a caller without a compiler. */
function checked<Outcome>(reading: Reading<Outcome>): Reading<Outcome> {
  const made = 'one that reading() or readingOfOne() makes'
  if (typeof reading !== 'object' || reading === null) throw invalid('reading', made, String(reading))
  const { type, count, read } = reading
  if (type !== 'propose' && type !== 'read')
    throw invalid('reading', "of 'propose' or of 'read'", String(type))
  if (typeof read !== 'function' || !Number.isInteger(count) || count < 1) {
    throw invalid('reading', made, 'one that says neither how nor how many answers it reads')
  }
  return reading
}

/** A frame in the hands of a caller, who may ask it for anything. */
class OwnFrame extends CallFrame {
  override reserve(length: number): number {
    if (Number.isInteger(length) && length >= 0 && length <= callBytesMax) return super.reserve(length)
    const actual = typeof length === 'number' ? length : typeof length
    throw invalid('reserve', `a whole number of bytes, at most ${callBytesMax}`, actual)
  }
}

/**
 * The commands that `write` has packed. Code of the caller may have used the frame in any way, so its lengths are
 * checked.
 */
function commandsIn(own: CallFrame): Uint8Array[] {
  const commands: Uint8Array[] = []
  const frame = own.take()
  const { count, bytes } = frame
  if (count === 0) throw invalid('write', 'at least one command', 'none')
  if (!isWellFormed(frame)) throw invalid('write', 'whole commands', 'lengths that do not add up')
  forEachCommand(frame, (start, end) => void commands.push(bytes.subarray(start, end)))
  return commandsOf('write', commands)
}

/** The commands of a call, in a list of its own: that of the caller may change while it is read. */
function commandsOf(what: string, commands: readonly unknown[]): Uint8Array[] {
  const own: Uint8Array[] = []
  const { length } = commands
  let bytes = 0
  for (let at = 0; at < length; at++) {
    const command = commands[at]
    if (!isBytes(command)) throw invalid(what, 'Uint8Arrays', command === null ? 'null' : typeof command)
    // Each command behind the first stands behind its length.
    bytes += lengthOfBytes(command) + (at > 0 ? commandHeaderBytes : 0)
    own.push(command)
  }
  if (length === 0) throw invalid(what, 'at least one Uint8Array', 'none')
  if (bytes > callBytesMax) throw invalid(what, `at most ${callBytesMax} bytes in a call`, bytes)
  return own
}
