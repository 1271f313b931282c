/** Ctrl-C and its like: the command is told, closes what it has open, and the exit code names the signal. */
const exitCodes: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }
/** As a process that a closed pipe has ended, for who pipes into `head`. */
export const brokenPipeExitCode = 141

/** One Ctrl-C may arrive twice, from the terminal and from npm: only a later one means that nothing is waited for. */
const secondAfterMs = 1000

export async function interruptible(run: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const interruption = new AbortController()
  let exitCode: number | undefined
  let interruptedAtMs = 0
  const interrupt = (code: number): void => {
    if (exitCode === undefined) {
      interruptedAtMs = performance.now()
      exitCode = code
      interruption.abort()
    } else if (performance.now() > interruptedAtMs + secondAfterMs) {
      process.exit(exitCode)
    }
  }
  const onSignal = (name: NodeJS.Signals): void => interrupt(exitCodes[name] ?? 1)
  const onBrokenPipe = (): void => interrupt(brokenPipeExitCode)
  for (const name of Object.keys(exitCodes)) process.on(name, onSignal)
  process.stdout.on('error', onBrokenPipe)
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
