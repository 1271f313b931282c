/** Flags that several commands take. */
import { closeSync, openSync } from 'node:fs'
import { nodesMax } from '../cluster/index.js'
import { reasonOf } from '../errors/index.js'
import { BadInput, wholeNumber } from '../terminal/index.js'

export const nodesFlag = wholeNumber('--nodes', 1, nodesMax)

/** Nodes by number, with commas between them. */
export function nodeIdsFlag(text: string): number[] {
  if (/^\d+(,\d+)*$/.test(text)) return text.split(',').map(Number)
  throw new BadInput(`--renew: give nodes by number, as in 2 or 1,3, not '${text}'`)
}

/** A parser for the path of a directory. */
export function dirFlag(flag: string): (text: string) => string {
  return pathFlag(flag, 'directory')
}

/** A parser for the path of a file or of a directory. */
export function pathFlag(flag: string, kind: 'file' | 'directory'): (text: string) => string {
  return (text) => {
    if (text !== '') return text
    throw new BadInput(`${flag}: give the path of a ${kind}, not an empty text`)
  }
}

/** Throws `BadInput` for a file that cannot be written, before anything has begun. */
export function checkWritable(flag: string, file: string): void {
  try {
    closeSync(openSync(file, 'a'))
  } catch (error) {
    throw new BadInput(`${flag}: ${file} cannot be written: ${reasonOf(error)}`)
  }
}
