/** `raftbox check`: whether a history of a key-value store is linearizable, and if it is not, why. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Command } from 'commander'
import { type CheckResult, checkInTurns, type KeyValueOperation, keyValue } from '../check/index.js'
import { historyPage, resultLines } from '../report/index.js'
import { addFlags, decimalNumber, interruptible } from '../terminal/index.js'
import { pathFlag } from './flags.js'
import { readOperations } from './operations-file.js'
import { writeTogether } from './written-files.js'

interface CheckFlags {
  readonly json?: boolean
  readonly seconds: number
  readonly html?: string
}

type Result = CheckResult<KeyValueOperation>

const exitCodes = { linearizable: 0, 'not-linearizable': 1, unknown: 2 } as const

const explanation = `
FILE holds one operation a line, in any order; gzip is unpacked, and - is the standard input:
  {"client":0,"op":"put","key":"k","value":"v","call":1,"return":4,"outcome":"ok"}
  {"client":1,"op":"get","key":"k","result":"v","call":2,"return":9,"outcome":"ok"}

op        get, put, append, cas or delete. A get has a result, a text or null; put and append have a value;
          cas has expected (null for no key), value and result, true or false; a delete may have one.
call      whole numbers on one clock. A call at the instant of a return is concurrent with it.
return
outcome   ok; fail: it certainly did not happen; unknown: it may have happened at any time after its
          call, or never. Only ok needs a return and a result.

If there is no order, operations that contradict each other are told: each of them is needed,
whatever became of the other writes.

The exit code is 0 for a linearizable history, 1 for one that is not, and 2 if the time or the memory was not
enough to know, or if a line is no operation. With --json, the last line has verdict: linearizable,
not-linearizable or unknown.

Examples:
  raftbox check history.jsonl --html why.html
  zcat history.jsonl.gz | raftbox check - --json
`

export function addCheck(program: Command): void {
  const command = program
    .command('check')
    .argument(
      '<file>',
      'a history, one JSON object a line; also packed by gzip, a pipe, or - for standard input',
    )
    .summary('is this history linearizable, and if not, why?')
    .description('Decides whether the history of any key-value store is linearizable.')
  addFlags(command, [
    ['--json', 'print one JSON object'],
    [
      '--seconds <seconds>',
      'the longest search; then the verdict is unknown',
      decimalNumber('--seconds', 0.1, 86_400),
      60,
    ],
    ['--html <file>', 'write a page with the operations on time lines', pathFlag('--html', 'file')],
  ])
    .addHelpText('after', explanation)
    .action(async (file: string, flags: CheckFlags) => {
      process.exitCode = await interruptible((signal) => check(file, flags, signal))
    })
}

async function check(
  file: string,
  { json, seconds, html }: CheckFlags,
  signal: AbortSignal,
): Promise<number> {
  const history = await readOperations(file, signal)
  const result = await checked(history, seconds, signal)
  if (html !== undefined) writeTogether('--html', { [html]: historyPage(history, result) })
  process.stdout.write(`${json === true ? JSON.stringify(result) : resultLines(result).join('\n')}\n`)
  return exitCodes[result.verdict]
}

/** Ctrl-C is heard between two turns of the check. */
async function checked(
  history: readonly KeyValueOperation[],
  seconds: number,
  signal: AbortSignal,
): Promise<Result> {
  const endMs = performance.now() + 1000 * seconds
  const bounds = { stepsMax: Number.MAX_SAFE_INTEGER, isTimeUp: () => performance.now() >= endMs }
  const turns = checkInTurns(history, keyValue, bounds)
  for (;;) {
    const turn = turns.next()
    if (turn.done === true) return turn.value
    await nextTurn()
    signal.throwIfAborted()
  }
}
