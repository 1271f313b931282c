/** Code of the program that the cluster calls. */

/** Calls foreign code. Its error is told to the process as a warning, and the caller goes on. */
export function callForeign(who: string, on: string, call: () => void): void {
  try {
    call()
  } catch (error) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
    process.emitWarning(`${who} threw on '${on}'`, { type: 'RaftboxWarning', detail })
  }
}
