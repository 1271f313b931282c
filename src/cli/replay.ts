/** `raftbox replay`: repeats a recorded run, and compares where each node ends with what was recorded. */
import type { Command } from 'commander'
import { BadLine, type Life, Replay } from '../recording/index.js'
import { isFailure } from '../shrink/index.js'
import { BadInput, counted, interruptible, printable } from '../terminal/index.js'
import { nameOfInput, readBytes } from './input/bytes.js'
import { type Framed, LineFramer } from './input/framing.js'
import { FailureReplay } from './replay-failure.js'
import { shortHash } from './state-words.js'

interface ReplayOptions {
  readonly json?: boolean
}

/** The longest line: what a node holds when it begins is one line. */
const lineBytesMax = 128 << 20
const explanation = `
FILE is a recording: one JSON object a line, first its head, then what each node's protocol began
with and was told, and where it ended. All of it is told again, to a protocol without a disk, a
network or a clock; each invariant is checked at each step. A recording may be cut off anywhere
after its first line, also by hand and within a line, and is repeated as far as it goes. gzip is
unpacked.

FILE may also be a failure, as sim --shrink and search --record write it: a list of steps, which are taken
again, each with what the nodes say this time, or the world of a seed, which is run again. A step that cannot be taken is
skipped: on a program without the mistake, nodes say something else.

The exit code is 1 when a node breaks an invariant or ends in another state than was recorded, or when
a failure fails again, and 2 when a line is none of a recording or of a failure.

Examples:
  raftbox sim --seed 42 --record run.jsonl && raftbox replay run.jsonl
  head -n 500 run.jsonl > short.jsonl && raftbox replay short.jsonl
  raftbox sim --seed 42 --shrink found.jsonl ; raftbox replay found.jsonl
`

export function addReplay(program: Command): void {
  program
    .command('replay')
    .argument(
      '<file>',
      'a recording, as sim --record writes it, or a failure, as sim --shrink and search --record do; also packed by gzip, or a pipe',
    )
    .summary('repeat a recorded run, and compare where it ends')
    .description('Tells the protocol of each node all that was recorded, and compares the states at the end.')
    .option('--json', 'print one JSON object')
    .addHelpText('after', explanation)
    .action(async (file: string, options: ReplayOptions) => {
      process.exitCode = await interruptible((signal) => replayFile(file, options, signal))
    })
}

async function replayFile(
  file: string,
  { json = false }: ReplayOptions,
  signal: AbortSignal,
): Promise<number> {
  const replay = new Replay()
  const malformed = (line: number, why: string): BadInput =>
    new BadInput(`${nameOfInput(file)}, line ${line}: ${why}`)
  const framer = new LineFramer(lineBytesMax, malformed)
  let cutAtLine: number | undefined
  let failure: FailureReplay | undefined
  const take = ({ line, bytes }: Framed, isLast: boolean): void => {
    const text = bytes.toString()
    if (line === 1 && isFailure(text)) failure = new FailureReplay(file)
    if (failure !== undefined) return bytes.length > 0 ? failure.take(line, text) : undefined
    try {
      if (bytes.length > 0) replay.take(line, text)
    } catch (error) {
      if (!(error instanceof BadLine)) throw error
      // Nothing but a cut leaves the end of a line away. A recording that is cut within its head is none.
      if (!isLast || line === 1) throw malformed(line, `${error.message}; give a recording of raftbox`)
      cutAtLine = line
    }
  }
  for await (const chunk of readBytes(file, signal))
    for (const framed of framer.take(chunk)) take(framed, false)
  for (const framed of framer.end()) take(framed, true)
  if (failure !== undefined) return failure.end(json, signal)
  const { lives, stops, hasHead } = replay
  if (!hasHead)
    throw new BadInput(
      `${nameOfInput(file)} is empty, as the recording of a full disk is; record the run again, or give another recording`,
    )
  if (lives.length === 0 && stops !== undefined)
    throw new BadInput(
      `${nameOfInput(file)}: the recording could not be written: ${stops}; record the run again where there is room`,
    )
  if (json) console.log(JSON.stringify({ lives, stops, cutAtLine }))
  else tell(lives, cutAtLine, stops)
  return lives.some(isWrong) ? 1 : 0
}

function isDifferent({ hash, recordedHash, violation }: Life): boolean {
  return violation === undefined && recordedHash !== undefined && recordedHash !== hash
}

function isWrong(life: Life): boolean {
  return life.violation !== undefined || isDifferent(life)
}

function tell(lives: readonly Life[], cutAtLine: number | undefined, stops: string | undefined): void {
  for (const life of lives.filter(isWrong)) console.log(wrongIn(life))
  const nodes = [...new Set(lives.map(({ node }) => node))].sort((a, b) => a - b)
  for (const node of nodes) console.log(endOf(lives.filter((life) => life.node === node)))
  const inputs = lives.reduce((sum, life) => sum + life.inputs, 0)
  const wrong = lives.filter(isWrong).length
  const open = lives.filter(({ recordedHash }) => recordedHash === undefined).length
  const verdict = wrong > 0 ? `${wrong} did not end as recorded` : 'each that has a recorded end came to it'
  const run = `${counted(nodes.length, 'node')}, ${livesOf(lives.length)}, ${counted(inputs, 'input')}`
  console.log(`${run}: ${verdict}${open > 0 ? `, and ${open} without one` : ''}`)
  if (stops !== undefined) console.log(`the recording ended before the run did: ${printable(stops)}`)
  if (cutAtLine !== undefined)
    console.log(`line ${cutAtLine} is cut off in its middle: the run was repeated up to there`)
}

function livesOf(count: number): string {
  return `${count} ${count === 1 ? 'life' : 'lives'}`
}

function wrongIn({ node, number, violation, hash, recordedHash = '' }: Life): string {
  const where = `node ${node}, life ${number}`
  if (violation !== undefined)
    return `${where}: line ${violation.line} breaks an invariant: ${violation.invariant}`
  const [ours, recorded] = [hash, recordedHash].map(shortHash)
  return `${where}: it ends in the state ${ours}, and ${recorded} was recorded`
}

/** The last of the lives of a node. */
function endOf(lives: readonly Life[]): string {
  const last = lives.at(-1)
  if (last === undefined) return ''
  const { node, role, currentTerm, commitIndex, lastIndex, hash, recordedHash } = last
  const log = `committed ${commitIndex} of ${lastIndex}`
  const compared =
    recordedHash === undefined ? 'no end recorded' : recordedHash === hash ? 'as recorded' : 'not as recorded'
  const state = `state ${shortHash(hash)}, ${compared}`
  return `node ${node}: ${livesOf(lives.length)}, then ${role} in term ${currentTerm}, ${log}, ${state}`
}
