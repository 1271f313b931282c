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
