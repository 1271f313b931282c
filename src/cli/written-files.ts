/** Files that a command writes when all that goes into them is known. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { reasonOf } from '../errors/index.js'
import { BadInput, printable } from '../terminal/index.js'
import { warn } from './warnings.js'

/** Tells a person of a file beside the answer. A program finds its answer alone on standard output. */
export function tellWritten(path: string, isJson = false): void {
  if (!isJson) process.stdout.write(`${printable(path)} is written\n`)
}

/** Warns that a run, whose verdict counts all the same, has left a file of `flag` that is not whole. */
export function warnNotWhole(flag: string, file: string, why: string): void {
  warn(`${flag}: ${file} could not be written to its end: ${why}`)
}

/** Writes what came of a run, whose verdict counts also where there is no room for the file. True: it is written. */
export function wrote(flag: string, file: string, content: string | Uint8Array): boolean {
  try {
    writeFileSync(file, content)
    return true
  } catch (error) {
    warnNotWhole(flag, file, reasonOf(error))
    return false
  }
}

/** All of them or none: each is complete before the first takes its name. `flag` chooses their place. */
export function writeTogether(flag: string, texts: Readonly<Record<string, string>>): string[] {
  const paths = Object.keys(texts)
  const written = new Map<string, string>()
  try {
    for (const path of paths) {
      const temporary = `${path}.${process.pid}.tmp`
      mkdirSync(dirname(path), { recursive: true })
      written.set(path, temporary)
      writeFileSync(temporary, texts[path] ?? '')
    }
    for (const [path, temporary] of written) renameSync(temporary, path)
  } catch (error) {
    for (const temporary of written.values()) rmSync(temporary, { force: true })
    const { message } = error as Error
    throw new BadInput(
      `nothing can be written to ${dirname(paths[0] ?? '')}: ${message}; choose another with ${flag}`,
    )
  }
  return paths
}
