/** `raftbox explain`: why things happened in a recorded run. */
import type { Command } from 'commander'
import { interruptible } from '../terminal/index.js'
import { parse, perform, type Subject } from '../verbs/index.js'
import { readStory } from './story-file.js'

interface ExplainOptions {
  readonly json?: boolean
}

const explanation = `
FILE is a story: lines of JSON, as sandbox --record writes them; also packed by gzip, or a pipe. It may
be cut off anywhere after its first line. Without a question, the last thing worth telling is told.

Examples:
  printf 'put a 1\\nkill leader\\nput a 2\\n' | raftbox sandbox --record run.story
  raftbox explain run.story                      the last thing worth telling
  raftbox explain run.story election             why there was an election, and who voted for whom
  raftbox explain run.story index 42 --json      the way of one command, for programs
  raftbox explain run.story stall                what stood in the way of commits for longest
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
    .addHelpText('after', explanation)
    .action(async (file: string, question: string[], options: ExplainOptions) => {
      process.exitCode = await interruptible((signal) => explainFile(file, question, options, signal))
    })
}

/** The exit code: 1 when there is nothing to explain. */
async function explainFile(
  file: string,
  words: readonly string[],
  { json = false }: ExplainOptions,
  signal: AbortSignal,
): Promise<number> {
  const command = parse(['explain', ...words].join(' ')) ?? { verb: 'explain' }
  const story = await readStory(file, signal)
  // The verb asks nothing of a cluster but its story.
  const { data, words: told } = await perform({ subject: { story: () => story } as Subject }, command)
  console.log(json ? JSON.stringify(data) : told)
  return data['type'] === 'nothing' ? 1 : 0
}
