import { closeSync, existsSync, openSync, rmSync } from 'node:fs'
import { reasonOf } from '../errors/index.js'
import { BadInput } from './failure.js'

/** Throws `BadInput` for a file that cannot be written, before anything has begun. A new file is not left there. */
export function checkWritable(flag: string, file: string): void {
  try {
    const isNew = !existsSync(file)
    closeSync(openSync(file, 'a'))
    if (isNew) rmSync(file)
  } catch (error) {
    throw new BadInput(`${flag}: ${file} cannot be written: ${reasonOf(error)}`)
  }
}
