/**
 * The rooms of `src` and `bench`, and the rooms that each of them may import. The compiler holds the same floors of
 * `src` by each room's tsconfig.json.
 */
import { posix } from 'node:path'
import { importsOf, roomOf, type SourceTree, targetOf } from './source-tree.js'

/** Every room above these two may see them, whether it needs them today or not. */
const ground = ['raft', 'errors']
const first = ['storage', 'machine', 'transport', 'telemetry']
const upToDriver = [...ground, ...first, 'driver']

export const mayImport: Readonly<Record<string, readonly string[]>> = {
  raft: [],
  errors: [],
  storage: ground,
  machine: ground,
  transport: ground,
  telemetry: ground,
  recording: ground,
  check: ['errors'],
  // The contract of state machines is in `machine`.
  mvcc: [...ground, 'machine'],
  backup: [...ground, 'storage', 'machine'],
  driver: [...ground, ...first],
  faults: [...ground, 'telemetry'],
  proof: [...ground, 'storage', 'machine', 'transport'],
  logbook: [...ground, 'telemetry', 'storage', 'machine', 'mvcc', 'terminal'],
  membership: [...ground, 'driver', 'faults'],
  node: [...upToDriver, 'faults', 'recording'],
  sim: [...upToDriver, 'faults', 'membership', 'proof', 'recording'],
  cluster: [...upToDriver, 'mvcc', 'faults', 'membership', 'logbook', 'backup', 'node'],
  search: ground,
  shrink: [...ground, 'machine', 'telemetry', 'sim', 'recording', 'search'],
  jobs: [...ground, 'storage', 'telemetry', 'sim', 'recording', 'search', 'shrink'],
  testing: [...ground, 'storage', 'transport'],
  explain: [...ground, 'telemetry'],
  terminal: ['errors'],
  load: [...ground, 'machine', 'telemetry', 'mvcc', 'cluster', 'terminal'],
  report: ['errors', 'terminal', 'check'],
  verbs: [
    ...ground,
    'telemetry',
    'faults',
    'membership',
    'logbook',
    'cluster',
    'terminal',
    'load',
    'explain',
  ],
  scenarios: [
    ...ground,
    'machine',
    'telemetry',
    'faults',
    'membership',
    'check',
    'sim',
    'cluster',
    'terminal',
    'verbs',
    'explain',
  ],
  observer: [...ground, 'telemetry', 'faults', 'membership', 'explain', 'cluster'],
  metrics: [...ground, 'telemetry', 'faults', 'cluster'],
  journal: [...ground, 'telemetry', 'cluster', 'terminal'],
  traces: [...ground, 'telemetry', 'explain', 'cluster'],
  etcd: [...ground, 'storage', 'machine', 'backup', 'faults', 'mvcc', 'cluster', 'metrics'],
  server: [
    ...ground,
    'telemetry',
    'logbook',
    'cluster',
    'terminal',
    'explain',
    'verbs',
    'scenarios',
    'observer',
    'metrics',
  ],
  // The page runs in a browser: of the rooms that it sees, no line may need Node.
  page: ['raft', 'telemetry', 'explain', 'observer', 'server'],
  cli: [
    ...ground,
    'storage',
    'telemetry',
    'mvcc',
    'sim',
    'cluster',
    'search',
    'shrink',
    'jobs',
    'terminal',
    'load',
    'report',
    'check',
    'verbs',
    'recording',
    'explain',
    'logbook',
    'scenarios',
    'observer',
    'journal',
    'traces',
    'server',
    'etcd',
  ],
}

/**
 * The folders of `bench`, and its program, which is `bench` itself. Folders of `bench` see the doors of `src`, but not
 * its command line.
 */
const benchMayImport: Readonly<Record<string, readonly string[]>> = {
  'bench/suite': ['telemetry', 'terminal', 'load', 'report'],
  'bench/groups': [
    'raft',
    'storage',
    'machine',
    'mvcc',
    'check',
    'telemetry',
    'explain',
    'cluster',
    'terminal',
    'load',
    'report',
    'bench/suite',
  ],
  'bench/peers': ['cluster', 'terminal', 'load', 'report', 'etcd', 'bench/suite'],
  'bench/profile': ['cluster', 'terminal', 'load', 'report', 'bench/suite'],
  bench: ['terminal', 'load', 'bench/suite', 'bench/groups'],
}

const arrows = { ...mayImport, ...benchMayImport }

/** `src/raft/log.ts` is in `raft`, `bench/peers/etcd.ts` in `bench/peers` and `bench/main.ts` in `bench`. */
function roomWithin(path: string): string {
  return path.startsWith('bench/') ? path.split('/').slice(0, -1).slice(0, 2).join('/') : roomOf(path)
}

/** Rooms on no floor, imports that do not go down, and those that do not go through a room's door. */
export function brokenFloors(tree: SourceTree): string[] {
  const broken: string[] = []
  for (const room of new Set([...tree.keys()].map(roomWithin))) {
    if (arrows[room] === undefined) broken.push(`${room} stands on no floor`)
  }
  for (const found of importsOf(tree)) {
    const target = targetOf(found)
    // A URL may also name a folder, or a program that is no module.
    if (!target?.endsWith('.ts')) continue
    const [room, targetRoom] = [roomWithin(found.from), roomWithin(target)]
    if (!/^(?:src|bench)\//.test(target))
      broken.push(`${found.from} imports ${target}, outside of src and bench`)
    else if (room === targetRoom) continue
    else if (!arrows[room]?.includes(targetRoom)) {
      broken.push(`${found.from} imports ${target}: ${room} may not see ${targetRoom}`)
    } else if (!target.endsWith(`/${posix.basename(targetRoom)}/index.ts`)) {
      broken.push(`${found.from} imports ${target}, and the door of ${targetRoom} is its index.ts`)
    }
  }
  return broken
}

/** Arrows that no import takes, but for those to the ground: a room would see more than it needs. */
export function unusedArrows(tree: SourceTree): string[] {
  const taken = new Set<string>()
  for (const found of importsOf(tree)) {
    const target = targetOf(found)
    if (target !== undefined) taken.add(`${roomWithin(found.from)} → ${roomWithin(target)}`)
  }
  const unused: string[] = []
  for (const room of new Set([...tree.keys()].map(roomWithin))) {
    for (const seen of arrows[room] ?? []) {
      if (!ground.includes(seen) && !taken.has(`${room} → ${seen}`)) unused.push(`${room} → ${seen}`)
    }
  }
  return unused
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
