/** Files that a command writes when all that goes into them is known. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { BadInput } from '../terminal/index.js'

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
