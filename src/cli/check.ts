/** `raftbox check`: whether a history of a key-value store is linearizable, or one of etcd's API right, and if not, why. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Command } from 'commander'
import { checkInTurns, judgeEtcdInTurns, keyValue, parseEtcdRecord, parseOperation } from '../check/index.js'
import { etcdPage, etcdResultLines, historyPage, resultLines } from '../report/index.js'
import { addFlags, decimalNumber, interruptible, oneOf } from '../terminal/index.js'
import { checkApart, pathFlag } from './flags.js'
import { readHistoryFile } from './operations-file.js'
import { tellWritten, writeTogether } from './written-files.js'

const models = ['key-value', 'etcd'] as const

interface CheckFlags {
  readonly model: (typeof models)[number]
  readonly json?: boolean
  readonly seconds: number
  readonly html?: string
}

const exitCodes = {
  ...{ linearizable: 0, 'not-linearizable': 1 },
  ...{ consistent: 0, inconsistent: 1 },
  unknown: 2,
} as const

/** A result as it is told. */
interface Told {
  readonly result: { readonly verdict: keyof typeof exitCodes }
  readonly lines: readonly string[]
  readonly page: () => string
}

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

With --model etcd, FILE holds calls of etcd's API and messages of its watches, with the revisions that were
told; docs/check.md has their fields. Judged are revisions, transactions, leases, watches and compactions.

If there is no order, operations that contradict each other are told: each of them is needed,
whatever became of the other writes.

The exit code is 0 for a linearizable history, 1 for one that is not, and 2 if the time or the memory was not
enough to know, or if a line is no operation. With --json, the last line has verdict: linearizable,
not-linearizable or unknown; with --model etcd: consistent, inconsistent or unknown.

Examples:
  raftbox check history.jsonl --html why.html
  raftbox check calls.jsonl --model etcd
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
    [
      '--model <model>',
      `the store of the history: ${models.join(' or ')}`,
      oneOf('--model', models),
      'key-value',
    ],
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
  { model, json, seconds, html }: CheckFlags,
  signal: AbortSignal,
): Promise<number> {
  checkApart({ FILE: file, '--html': html })
  const told = model === 'etcd' ? await etcd(file, seconds, signal) : await keyValues(file, seconds, signal)
  const { result, lines, page } = told
  process.stdout.write(`${json === true ? JSON.stringify(result) : lines.join('\n')}\n`)
  // The verdict is told by then, whatever becomes of the page.
  if (html !== undefined)
    for (const path of writeTogether('--html', { [html]: page() })) tellWritten(path, json)
  return exitCodes[result.verdict]
}

async function keyValues(file: string, seconds: number, signal: AbortSignal): Promise<Told> {
  const history = await readHistoryFile(file, parseOperation, signal)
  const bounds = { stepsMax: Number.MAX_SAFE_INTEGER, isTimeUp: timer(seconds) }
  const result = await inTurns(checkInTurns(history, keyValue, bounds), signal)
  return { result, lines: resultLines(result), page: () => historyPage(history, result) }
}

async function etcd(file: string, seconds: number, signal: AbortSignal): Promise<Told> {
  const history = await readHistoryFile(file, parseEtcdRecord, signal)
  const result = await inTurns(judgeEtcdInTurns(history, { isTimeUp: timer(seconds) }), signal)
  return { result, lines: etcdResultLines(result), page: () => etcdPage(result) }
}

function timer(seconds: number): () => boolean {
  const endMs = performance.now() + 1000 * seconds
  return () => performance.now() >= endMs
}

/** Ctrl-C is heard between two turns. */
async function inTurns<Result>(turns: Generator<void, Result>, signal: AbortSignal): Promise<Result> {
  for (;;) {
    const turn = turns.next()
    if (turn.done === true) return turn.value
    await nextTurn()
    signal.throwIfAborted()
  }
}
