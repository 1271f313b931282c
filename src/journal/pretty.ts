/** Lines of a log for a person at a terminal. */
import { isColorSupported, prettyFactory } from 'pino-pretty'
import { printable } from '../terminal/index.js'

/** `[18:46:01.123] INFO: node 1 leads term 2: nodes 1 and 3 voted for it (#12, after #11)` */
export function prettyLines(): (line: string) => string {
  return prettyFactory({
    colorize: isColorSupported,
    translateTime: 'SYS:HH:MM:ss.l',
    hideObject: true,
    // The cause of a failure is foreign text.
    messageFormat: ({ msg, sequence, cause }) => printable(`${msg}${placeOf(sequence, cause)}`),
  })
}

function placeOf(sequence: unknown, cause: unknown): string {
  if (sequence === undefined) return ''
  return cause === undefined ? ` (#${sequence})` : ` (#${sequence}, after #${cause})`
}
