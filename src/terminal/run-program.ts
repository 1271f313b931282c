/** Runs a command line to its exit code, and tells what went wrong in one line. */
import { type Command, CommanderError } from 'commander'
import { BadInput, exitCodeOf, reportFailure } from './failure.js'
import { exitCodeOfOutput } from './interrupt.js'
import { byTypedFlag } from './typed-flag.js'

/** `seeAlso` names the command that shows the help for the given words. */
export async function runProgram(
  program: Command,
  seeAlso: (words: readonly string[]) => string,
): Promise<void> {
  const words = process.argv.slice(2)
  // Help has nothing to close when it is piped into `head`; a command that has is told by `interruptible`.
  let isTold = false
  process.stdout.on('error', (error) => {
    process.exitCode = exitCodeOfOutput(error)
    if (process.exitCode !== 1 || isTold) return
    isTold = true
    reportFailure(new Error(`standard output cannot be written: ${error.message}`))
  })
  // Nobody can be told that standard error takes no more. The exit code still says how the command ended.
  process.stderr.on('error', () => undefined)
  // Errors are told in one line, below.
  for (const command of commandsIn(program)) {
    command.exitOverride().configureOutput({ writeErr: () => undefined })
  }
  let running: Command | undefined
  program.hook('preAction', (_, command) => {
    running = command
  })
  try {
    checkWords(words)
    await program.parseAsync()
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) {
      process.exitCode = 0
      return
    }
    const told =
      error instanceof CommanderError ? asBadInput(error, words, seeAlso) : byTypedFlag(error, running)
    reportFailure(told)
    process.exitCode = exitCodeOf(told)
  }
}

/** The program, its commands and theirs. */
function commandsIn(program: Command): Command[] {
  return [program, ...program.commands.flatMap(commandsIn)]
}

/** Node puts U+FFFD for what is not UTF-8: another file or folder could be meant than was named. */
function checkWords(words: readonly string[]): void {
  const odd = words.find((word) => word.includes('\ufffd'))
  if (odd === undefined) return
  throw new BadInput(
    `'${odd}' holds U+FFFD, which stands for bytes that are not UTF-8; give names and values in UTF-8`,
  )
}

/** Commander's own words for a wrong flag or command, and where to look. */
function asBadInput(
  { code, message }: CommanderError,
  words: readonly string[],
  seeAlso: (words: readonly string[]) => string,
): BadInput {
  if (code === 'commander.help') {
    const [command, topic] = words
    return new BadInput(
      topic === undefined
        ? `${command}: name one of its commands; see ${seeAlso(words)}`
        : `unknown command '${topic}'; see ${seeAlso([])}`,
    )
  }
  const told = message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '')
  return new BadInput(`${told}; see ${seeAlso(words)}`)
}
