/** A state machine of one's own: a ledger of accounts in whole cents. */
import { createHash } from 'node:crypto'
import type { CommandRun, ResultWriter, StateMachine } from 'raftbox'
import { type Frame, forEachCommand } from 'raftbox/raft'

/** A command that a client proposes, as JSON. The first release of the ledger had deposits only. */
type Command =
  | { readonly type: 'deposit'; readonly to: string; readonly cents: number }
  | { readonly type: 'transfer'; readonly from: string; readonly to: string; readonly cents: number }

/**
 * The first line of a snapshot of release 2, with JSON in the lines behind it. Release 1 wrote `name cents` in each line: a
 * line without a blank is none of release 1.
 */
const snapshotHead = 'ledger-2'
/** Lines of a snapshot that become one piece. */
const linesOfPiece = 1000

const encoder = new TextEncoder()
const decoder = new TextDecoder()

class Ledger implements StateMachine {
  #balances = new Map<string, number>()

  apply(run: CommandRun, results: ResultWriter | undefined): void {
    forEachCommand(run, (start, end) => {
      const answer = this.#do(JSON.parse(decoder.decode(run.bytes.subarray(start, end))) as Command)
      results?.append(encoder.encode(answer))
    })
  }

  read(queries: Frame, results: ResultWriter): void {
    forEachCommand(queries, (start, end) => {
      const name = decoder.decode(queries.bytes.subarray(start, end))
      results.append(encoder.encode(String(this.#balanceOf(name))))
    })
  }

  snapshot(): Iterator<Uint8Array> {
    // The lines are made now: commands that are applied while the pieces are pulled do not show in them.
    return piecesOf([snapshotHead, ...this.#lines()])
  }

  restore(pieces: Iterable<Uint8Array>): void {
    const text = Buffer.concat([...pieces]).toString()
    const lines = text.split('\n').filter((line) => line !== '')
    const [head] = lines
    const isOfRelease1 = head === undefined || head.includes(' ')
    if (!isOfRelease1 && head !== snapshotHead)
      throw new Error(`the ledger does not know the snapshot ${head}`)
    this.#balances = new Map(isOfRelease1 ? lines.map(readLineOfRelease1) : lines.slice(1).map(readLine))
  }

  hash(): string {
    return createHash('sha256').update(this.#lines().join('\n')).digest('hex')
  }

  /** Does a command, or refuses it with an answer that says why. Every node comes to the same answer. */
  #do(command: Command): string {
    if (command.type !== 'deposit' && command.type !== 'transfer') {
      // A later release wrote this command. To skip it would make this node differ from the others: the node stops.
      throw new Error(`the ledger does not know the command ${JSON.stringify(command)}`)
    }
    if (!Number.isSafeInteger(command.cents) || command.cents <= 0) return 'refused: not an amount'
    if (command.type === 'transfer') {
      if (this.#balanceOf(command.from) < command.cents) return 'refused: not enough money'
      this.#add(command.from, -command.cents)
    }
    this.#add(command.to, command.cents)
    return 'done'
  }

  #balanceOf(name: string): number {
    return this.#balances.get(name) ?? 0
  }

  #add(name: string, cents: number): void {
    this.#balances.set(name, this.#balanceOf(name) + cents)
  }

  /** Sorted, since a snapshot and a log bring the accounts in different orders. */
  #lines(): string[] {
    return [...this.#balances].map((account) => JSON.stringify(account)).sort()
  }
}

function* piecesOf(lines: readonly string[]): Generator<Uint8Array> {
  for (let from = 0; from < lines.length; from += linesOfPiece) {
    yield encoder.encode(`${lines.slice(from, from + linesOfPiece).join('\n')}\n`)
  }
}

function readLine(line: string): [string, number] {
  return JSON.parse(line) as [string, number]
}

function readLineOfRelease1(line: string): [string, number] {
  const end = line.lastIndexOf(' ')
  return [line.slice(0, end), Number(line.slice(end + 1))]
}

export default function createLedger(): StateMachine {
  return new Ledger()
}
