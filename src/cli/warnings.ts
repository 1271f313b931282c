/** Warnings of the process, as the command line tells them. */
import { printable } from '../terminal/index.js'

/** Tells a warning on standard error. */
export function warn(line: string): void {
  process.stderr.write(`raftbox: warning: ${printable(line)}\n`)
}

/** Node's own listeners of warnings: none, where its flags say so. */
const listenersOfNode = process.listeners('warning')

/** From now on `print` is given a line for each warning of raftbox. Other warnings are told as Node tells them. */
export function tellWarnings(print: (line: string) => void): void {
  process.removeAllListeners('warning')
  process.on('warning', (warning) => {
    if (warning.name === 'RaftboxWarning') return print(`raftbox: warning: ${printable(warning.message)}`)
    for (const listener of listenersOfNode) listener.call(process, warning)
  })
}
