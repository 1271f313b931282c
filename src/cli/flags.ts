/** Flags that several commands take. */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { nodesMax } from '../cluster/index.js'
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

/**
 * Throws `BadInput` where two of the files of a command are the same one: what is written last would be all that is left.
 * `files`: by the words that give them. `-` and an address are no files.
 */
export function checkApart(files: Readonly<Record<string, string | undefined>>): void {
  const givenBy = new Map<string, string>()
  for (const [words, file] of Object.entries(files)) {
    if (file === undefined || file === '-' || file.includes('://')) continue
    const name = nameOf(file)
    if (name === undefined) continue
    const other = givenBy.get(name)
    if (other !== undefined)
      throw new BadInput(`${words}: ${file} is the file of ${other} too: name another one`)
    givenBy.set(name, words)
  }
}

/** The same for the same file, by whatever path. `undefined`: a device or a pipe, which takes what several write. */
function nameOf(file: string): string | undefined {
  try {
    const stats = statSync(file, { bigint: true })
    return stats.isFile() ? `${stats.dev} ${stats.ino}` : undefined
  } catch {
    // The file is not there yet, or cannot be: whoever writes it says so.
    return resolve(file)
  }
}
