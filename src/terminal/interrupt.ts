/** Ctrl-C and its like: the command is told, closes what it has open, and the exit code names the signal. */
const exitCodes: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

/**
 * An output takes no more. When nobody reads on, as behind `head`, a command ends like a process that a
 * closed pipe has ended; anything else has lost what was to be told.
 */
export function exitCodeOfOutput({ code }: NodeJS.ErrnoException): 1 | 141 {
  return code === 'EPIPE' ? 141 : 1
}

/** One Ctrl-C may arrive twice, from the terminal and from npm: only a later one means that nothing is waited for. */
const secondAfterMs = 1000

export async function interruptible(run: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const interruption = new AbortController()
  let exitCode: number | undefined
  let interruptedAtMs = 0
  const interrupt = (code: number): void => {
    if (exitCode !== undefined) return
    interruptedAtMs = performance.now()
    exitCode = code
    interruption.abort()
  }
  const onSignal = (name: NodeJS.Signals): void => {
    // A closed output fails again with every line, and is no reason to leave anything behind.
    const isSecond = exitCode !== undefined && performance.now() > interruptedAtMs + secondAfterMs
    if (isSecond) process.exit(exitCode)
    interrupt(exitCodes[name] ?? 1)
  }
  for (const name of Object.keys(exitCodes)) process.on(name, onSignal)
  for (const output of [process.stdout, process.stderr]) {
    output.on('error', (error) => interrupt(exitCodeOfOutput(error)))
  }
  try {
    const code = await run(interruption.signal)
    return exitCode ?? code
  } catch (error) {
    // What an interrupted command stumbles over is no news.
    if (exitCode !== undefined) return exitCode
    throw error
  } finally {
    for (const name of Object.keys(exitCodes)) process.off(name, onSignal)
  }
}
