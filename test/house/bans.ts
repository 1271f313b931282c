/** What may not be written where: clocks, dice, Node's modules, packages, consoles. */
import { importsOf, roomOf, type SourceTree, withoutComments } from './source-tree.js'

/**
 * The protocol and the driver get time and chance from what they are given. One read of a real clock
 * would make a simulated run differ from its replay.
 */
const rooms = new Set(['raft', 'driver'])
const bannedWords = [
  /\bMath\s*\.\s*random\b/,
  /\bDate\s*\.\s*now\b/,
  /\bnew\s+Date\b/,
  /\bperformance\s*\.\s*now\b/,
  /\bprocess\s*\.\s*hrtime\b/,
  /\bsetTimeout\b/,
  /\bsetInterval\b/,
  /\bsetImmediate\b/,
  /\bcrypto\s*\.\s*(?:getRandomValues|randomUUID)\b/,
]

export function brokenBans(tree: SourceTree): string[] {
  const broken: string[] = []
  for (const [path, text] of tree) {
    if (!rooms.has(roomOf(path))) continue
    const code = withoutComments(text)
    for (const word of bannedWords) {
      const found = word.exec(code)
      if (found !== null) broken.push(`${path} uses ${found[0]}`)
    }
  }
  for (const { from, specifier } of importsOf(tree)) {
    if (rooms.has(roomOf(from)) && specifier.startsWith('node:')) broken.push(`${from} imports ${specifier}`)
  }
  return broken
}

/**
 * Only the command line has a reader at the other end; a library that prints can not be silenced. A node that wrote to a
 * stream would wait for its reader: what it has to tell is a happening.
 */
export function brokenSilence(tree: SourceTree): string[] {
  const streams = /\bstd(?:in|out|err)\b/
  return [...tree].flatMap(([path, text]) => {
    const room = roomOf(path)
    const code = withoutComments(text)
    if (room !== 'cli' && /\bconsole\s*\./.test(code)) return `${path} uses console`
    return room !== 'cli' && room !== 'terminal' && streams.test(code)
      ? `${path} uses a stream of the process`
      : []
  })
}

interface PackageRule {
  readonly rooms: readonly string[]
  /** How many files may import it: what one file wraps, one file can replace. */
  readonly filesMax: number
}

const packageRules: Readonly<Record<string, PackageRule>> = {
  lmdb: { rooms: ['storage'], filesMax: 2 },
  'fs-native-extensions': { rooms: ['storage'], filesMax: 1 },
  comlink: { rooms: ['transport', 'node', 'cluster'], filesMax: 2 },
  piscina: { rooms: ['jobs'], filesMax: 2 },
  yaml: { rooms: ['scenarios'], filesMax: 1 },
  'csv-parse': { rooms: ['cli'], filesMax: 1 },
  commander: { rooms: ['terminal', 'cli'], filesMax: Number.POSITIVE_INFINITY },
  // By its own name a room could reach any other, past the floors.
  raftbox: { rooms: [], filesMax: Number.POSITIVE_INFINITY },
  picocolors: { rooms: ['terminal'], filesMax: 1 },
  hono: { rooms: ['server'], filesMax: Number.POSITIVE_INFINITY },
  '@hono/node-server': { rooms: ['server'], filesMax: 1 },
  pino: { rooms: ['journal'], filesMax: 1 },
  'pino-pretty': { rooms: ['journal'], filesMax: 1 },
  'prom-client': { rooms: ['metrics'], filesMax: Number.POSITIVE_INFINITY },
  '@opentelemetry/api': { rooms: ['traces'], filesMax: 2 },
  '@opentelemetry/exporter-trace-otlp-http': { rooms: ['traces'], filesMax: 1 },
  '@opentelemetry/resources': { rooms: ['traces'], filesMax: 1 },
  '@opentelemetry/sdk-trace-base': { rooms: ['traces'], filesMax: 1 },
  '@grpc/grpc-js': { rooms: ['etcd', 'load'], filesMax: Number.POSITIVE_INFINITY },
  '@grpc/proto-loader': { rooms: ['etcd'], filesMax: 2 },
  open: { rooms: ['cli'], filesMax: 1 },
  preact: { rooms: ['page'], filesMax: Number.POSITIVE_INFINITY },
}

/** `@scope/name/sub` belongs to the package `@scope/name`. */
function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return undefined
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

export function brokenPackages(tree: SourceTree): string[] {
  const broken: string[] = []
  const importers = new Map<string, Set<string>>()
  for (const { from, specifier } of importsOf(tree)) {
    const name = packageOf(specifier)
    if (name === undefined) continue
    const rule = packageRules[name]
    if (rooms.has(roomOf(from)) || (rule !== undefined && !rule.rooms.includes(roomOf(from)))) {
      broken.push(`${from} imports the package ${name}`)
    }
    // A declaration tells the compiler of a package, and loads nothing.
    if (from.endsWith('.d.ts')) continue
    importers.set(name, (importers.get(name) ?? new Set()).add(from))
  }
  for (const [name, files] of importers) {
    const filesMax = packageRules[name]?.filesMax
    if (filesMax !== undefined && files.size > filesMax) {
      broken.push(`${name} is imported in ${files.size} files, not ${filesMax}: ${[...files].join(', ')}`)
    }
  }
  return broken
}
