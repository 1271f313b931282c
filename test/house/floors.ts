/** Which room of `src` may import which. The compiler holds the same floors by each room's tsconfig.json. */
import { importsOf, roomOf, type SourceTree, targetOf } from './source-tree.js'

const ground = ['raft', 'errors']
const first = ['storage', 'machine', 'transport']
const upToDriver = [...ground, ...first, 'driver']

export const mayImport: Readonly<Record<string, readonly string[]>> = {
  raft: [],
  errors: [],
  storage: ground,
  machine: ground,
  transport: ground,
  driver: [...ground, ...first],
  node: upToDriver,
  sim: upToDriver,
  cluster: [...upToDriver, 'node'],
  jobs: [...upToDriver, 'sim'],
  testing: [...upToDriver, 'node', 'sim', 'cluster'],
  cli: [...upToDriver, 'node', 'sim', 'cluster', 'jobs', 'testing'],
}

/** Rooms on no floor, and imports that do not go down. */
export function brokenFloors(tree: SourceTree): string[] {
  const broken: string[] = []
  for (const room of new Set([...tree.keys()].map(roomOf))) {
    if (mayImport[room] === undefined) broken.push(`src/${room} stands on no floor`)
  }
  for (const found of importsOf(tree)) {
    const target = targetOf(found)
    if (target === undefined) continue
    const [room, targetRoom] = [roomOf(found.from), roomOf(target)]
    if (!target.startsWith('src/')) broken.push(`${found.from} imports ${target}, outside of src`)
    else if (room !== targetRoom && !mayImport[room]?.includes(targetRoom)) {
      broken.push(`${found.from} imports ${target}: ${room} may not see ${targetRoom}`)
    }
  }
  return broken
}

/** Files that import each other in a circle, types included: none of them can be read first. */
export function circles(tree: SourceTree): string[] {
  const targets = new Map<string, string[]>([...tree.keys()].map((path) => [path, []]))
  for (const found of importsOf(tree)) {
    const target = targetOf(found)
    if (target !== undefined && tree.has(target)) targets.get(found.from)?.push(target)
  }
  const found: string[] = []
  const seen = new Set<string>()
  const visit = (path: string, way: readonly string[]): void => {
    const at = way.indexOf(path)
    if (at >= 0) found.push([...way.slice(at), path].join(' → '))
    if (at >= 0 || seen.has(path)) return
    for (const target of targets.get(path) ?? []) visit(target, [...way, path])
    seen.add(path)
  }
  for (const path of targets.keys()) visit(path, [])
  return found
}
