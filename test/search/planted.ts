/** Searches of the protocol as it is, and of copies of the compiled protocol that have one mistake. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as room from '../../src/search/index.js'

/** A line of the protocol's code as it is, and as somebody could have written it. */
export interface Mistake {
  readonly file: string
  readonly right: string
  readonly wrong: string
}

export interface Searched {
  readonly states: number
  readonly stop: room.Stop
  readonly broken: room.Broken | undefined
}

const compiled = fileURLToPath(new URL('../../src', import.meta.url))
/** More than any search of these tests sees. */
const statesMax = 3_000_000

/** Three nodes, two terms, and nothing else that is not named. */
export function boundsOf(named: Partial<room.Bounds>): room.Bounds {
  const none = Object.fromEntries(room.budgetNames.map((name) => [name, 0])) as Record<
    room.BudgetName,
    number
  >
  return { nodes: 3, terms: 2, ...none, ...named }
}

/** `areMerged`: worlds that differ in the names of their nodes are one. */
export function searched(
  named: Partial<room.Bounds>,
  areMerged = true,
  { Search, newShared, Lane } = room,
): Searched {
  const shared = newShared(statesMax)
  const { broken } = new Search(boundsOf(named), shared, { lane: 0, lanes: 1 }, areMerged).run()
  const lane = new Lane(shared)
  return { states: lane.figures.states, stop: lane.stop, broken }
}

/** The same search of a protocol with the mistake. */
export async function searchedWith(
  { file, right, wrong }: Mistake,
  named: Partial<room.Bounds>,
  areMerged = true,
): Promise<Searched> {
  const folder = mkdtempSync(join(tmpdir(), 'raftbox-planted-'))
  try {
    for (const name of ['raft', 'search', 'errors'])
      cpSync(join(compiled, name), join(folder, name), { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    const path = join(folder, 'raft', file)
    const text = readFileSync(path, 'utf8')
    if (text.split(right).length !== 2) throw new Error(`${file} has not one place with: ${right}`)
    writeFileSync(
      path,
      text.replace(right, () => wrong),
    )
    const copy = (await import(pathToFileURL(join(folder, 'search', 'index.js')).href)) as typeof room
    return searched(named, areMerged, copy)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
