/** `raftbox explain`: why things happened in a recorded run. */
import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { reasonOf } from '../errors/index.js'
import { type PictureWindow, picture } from '../explain/index.js'
import type { Story } from '../telemetry/index.js'
import { BadInput, interruptible, wholeNumber } from '../terminal/index.js'
import { parse, perform, type Subject } from '../verbs/index.js'
import { checkApart, pathFlag } from './flags.js'
import { readStory } from './story-file.js'
import { tellWritten } from './written-files.js'

interface ExplainOptions {
  readonly json?: boolean
  /** The file that a picture is written to. */
  readonly svg?: string
  /** The window of the picture, in milliseconds from the story's first moment on. */
  readonly from?: number
  readonly to?: number
}

/** A day: no story is longer. */
const msMax = 86_400_000

const explanation = `
FILE is a story: lines of JSON, as sandbox --record writes them; also packed by gzip, or a pipe. It may
be cut off anywhere after its first line. Without a question, the last thing worth telling is told.

Examples:
  printf 'put a 1\\nkill leader\\nput a 2\\n' | raftbox sandbox --record run.story
  raftbox explain run.story                      the last thing worth telling
  raftbox explain run.story election             why there was an election, and who voted for whom
  raftbox explain run.story index 42 --json      the way of one command, for programs
  raftbox explain run.story stall                what stood in the way of commits for longest
  raftbox explain run.story --svg run.svg        and a picture of the latest election
`

export function addExplain(program: Command): void {
  program
    .command('explain')
    .argument('<file>', 'a story, as sandbox --record writes it')
    .argument('[question...]', 'election [TERM], index N, stall or last (default: last)')
    .summary('why things happened in a recorded run')
    .description(
      'Tells why an election began, what took a command its time, or what stood in the way of commits.',
    )
    .option('--json', 'print one JSON object')
    .option(
      '--svg <file>',
      'write a picture too: a line a node, and messages as arrows',
      pathFlag('--svg', 'file'),
    )
    .option(
      '--from <ms>',
      "where the picture begins, in milliseconds from the story's first moment on (default: before the latest election)",
      wholeNumber('--from', 0, msMax),
    )
    .option(
      '--to <ms>',
      'where the picture ends (default: after that election)',
      wholeNumber('--to', 1, msMax),
    )
    .addHelpText('after', explanation)
    .action(async (file: string, question: string[], options: ExplainOptions) => {
      process.exitCode = await interruptible((signal) => explainFile(file, question, options, signal))
    })
}

/** The exit code: 1 when there is nothing to explain. */
async function explainFile(
  file: string,
  words: readonly string[],
  { json = false, svg, from, to }: ExplainOptions,
  signal: AbortSignal,
): Promise<number> {
  const command = parse(['explain', ...words].join(' ')) ?? { verb: 'explain' }
  if (svg === undefined && (from ?? to) !== undefined) {
    throw new BadInput('--from and --to are the window of a picture: give --svg FILE too')
  }
  checkApart({ FILE: file, '--svg': svg })
  const story = await readStory(file, signal)
  if (svg !== undefined) writePicture(svg, story, { fromMs: from, toMs: to })
  // The verb asks nothing of a cluster but its story.
  const { data, words: told } = await perform({ subject: { story: () => story } as Subject }, command)
  console.log(json ? JSON.stringify(data) : told)
  if (svg !== undefined) tellWritten(svg, json)
  return data['type'] === 'nothing' ? 1 : 0
}

function writePicture(path: string, story: Story, window: PictureWindow): void {
  try {
    writeFileSync(path, picture(story, window))
  } catch (error) {
    if (error instanceof RangeError) throw new BadInput(`--from, --to: ${error.message}`)
    throw new BadInput(`--svg: ${path} cannot be written: ${reasonOf(error)}`)
  }
}
