/**
 * The directory of a cluster whose files make way for those of another. Each step can be begun again: a crash in between
 * leaves a directory in which no cluster starts, and the next recovery goes on with it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { flushFolder, writeWhole } from '../storage/index.js'
import { describingFile, pledgesFile } from './directory-files.js'

const madePrefix = 'recovered-'
const asidePrefix = 'former-'
const unfinishedFolder = 'recovering'

/** Whether a directory is one whose replacement was cut off. */
export function isCutOff(path: string): boolean {
  return !existsSync(join(path, describingFile)) && madeIn(path) !== undefined
}

/** Lets `make` fill a folder with the files of another cluster, which then take the place of those in the directory. */
export async function replaceFiles(
  path: string,
  make: (unfinished: string) => Promise<void>,
): Promise<string> {
  const unfinished = join(path, unfinishedFolder)
  // Folders that a recovery has left which was cut off before it put anything aside: nobody else is in the directory.
  for (const name of readdirSync(path)) {
    const isLeft = name === unfinishedFolder || name.startsWith(madePrefix)
    if (isLeft) rmSync(join(path, name), { recursive: true })
  }
  try {
    mkdirSync(unfinished)
    await make(unfinished)
    renameSync(unfinished, join(path, `${madePrefix}${new Date().toISOString().replaceAll(':', '-')}`))
    flushFolder(path)
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    throw error
  }
  return putInPlace(path)
}

/**
 * Puts the files aside, and those that were made in their place. The description is the first to go and the last to
 * come: without it, and with what is remembered of the members, no cluster starts. Returns the folder of the files that
 * were put aside.
 */
export function putInPlace(path: string): string {
  const name = madeIn(path) ?? ''
  const [made, aside] = [join(path, name), join(path, name.replace(madePrefix, asidePrefix))]
  mkdirSync(aside, { recursive: true })
  if (existsSync(join(path, describingFile))) move(describingFile, path, aside)
  flushFolder(path)
  // The pledges are written last of all that is put aside: from then on, each node in the directory is one that was made.
  if (!existsSync(join(aside, pledgesFile))) {
    for (const node of nodesIn(path)) move(node, path, aside)
    flushFolder(path)
    writeWhole(aside, pledgesFile, readFileSync(join(path, pledgesFile)))
  }
  for (const node of nodesIn(made)) move(node, made, path)
  if (existsSync(join(made, pledgesFile))) move(pledgesFile, made, path)
  flushFolder(path)
  move(describingFile, made, path)
  flushFolder(path)
  rmSync(made, { recursive: true })
  return aside
}

/** The folder of files that were made and are not all in their place. */
function madeIn(path: string): string | undefined {
  return readdirSync(path).find(
    (name) => name.startsWith(madePrefix) && existsSync(join(path, name, describingFile)),
  )
}

function nodesIn(path: string): string[] {
  return readdirSync(path).filter((name) => /^node-\d+$/.test(name))
}

function move(name: string, from: string, to: string): void {
  renameSync(join(from, name), join(to, name))
}
