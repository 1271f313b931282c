/** A copy of the compiled program with one mistake. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { onTestFinished } from 'vitest'
import type * as room from '../../src/shrink/index.js'

/** A line of the code as it is, and as somebody could have written it. */
interface Mistake {
  readonly file: string
  readonly right: string
  readonly wrong: string
}

export const mistakes = {
  'a node that votes twice in a term': {
    file: 'raft/elections.js',
    right: 'if (state.votedFor !== undefined)',
    wrong: 'if (false)',
  },
  'a follower that acknowledges entries which are not on its disk': {
    file: 'raft/append-entries.js',
    right: 'if (isHardStateFlushed(state) && matchIndex <= log.flushedIndex)',
    wrong: 'if (true)',
  },
  'an entry of an earlier term that is committed by counting': {
    file: 'raft/commit.js',
    right: ' || log.termAt(reached) !== state.currentTerm',
    wrong: '',
  },
  'a leader that counts its own copy before it is on its disk': {
    file: 'raft/commit.js',
    right: 'return log.flushedIndex',
    wrong: 'return log.lastIndex',
  },
  'a call of a session that is applied again': {
    file: 'machine/sessions.js',
    right: 'if (known !== undefined)\n            return known;',
    wrong: '',
  },
  'an answer that names the place of another command': {
    file: 'driver/proposals.js',
    right: "outcome: 'applied', index: first.index, count",
    wrong: "outcome: 'applied', index: first.index + 1, count",
  },
  'a node that begins with an empty state behind its snapshot': {
    file: 'driver/driver.js',
    right: ' machine.restore(this.#stored.piecesOf(snapshot));',
    wrong: ';',
  },
  'a snapshot without the sessions': {
    file: 'machine/session-machine.js',
    right: 'this.#isUnused ? noSessions : this.#packed()',
    wrong: 'noSessions',
  },
  'a read on a lease that has ended': {
    file: 'raft/turn.js',
    right: 'if (now !== undefined && holdsLease(state, now)) {',
    wrong: 'if (now !== undefined) {',
  },
  'a lease that counts from a round which no majority answered': {
    file: 'raft/lease.js',
    right: 'findLast(({ round }) => round <= answered)',
    wrong: 'findLast(({ round }) => round > 0)',
  },
  'a write that begins beside another': {
    file: 'driver/driver.js',
    right: 'mayWrite: this.#writing === undefined,',
    wrong: 'mayWrite: true,',
  },
  'a clock that may be set too far': {
    file: 'faults/clock-bounds.js',
    right: ' / (1 + apart) - leaseMs)',
    wrong: ' / (1 + apart))',
  },
  'a leader that ends by an error': {
    file: 'raft/commit.js',
    right: 'return log.flushedIndex',
    wrong: "throw new Error('planted')",
  },
  'a simulator that ends by an error': {
    file: 'sim/nemesis.js',
    right: '    #begin() {',
    wrong: "    #begin() { throw new Error('planted')",
  },
  // No mistake: the drawing of plans changes now and then, and each seed then stands for another plan.
  'seeds that stand for other plans': {
    file: 'sim/plan.js',
    right: 'const tickMs = dice.pick([5, 10, 10, 20]);',
    wrong: 'dice.next();\nconst tickMs = 40;',
  },
} as const satisfies Record<string, Mistake>

export type MistakeName = keyof typeof mistakes

const compiled = fileURLToPath(new URL('../../src', import.meta.url))

/** The folder of the compiled sources of the copy, which goes away with the test. */
export function plantedCopy(...names: readonly MistakeName[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'raftbox-planted-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  // Node itself loads what lies below such a folder: Vitest would transform every file of the copy first.
  const copy = join(folder, 'node_modules', 'planted')
  const sources = join(copy, 'dist', 'src')
  cpSync(compiled, sources, { recursive: true, filter: (path) => !/\.(?:map|d\.ts)$/.test(path) })
  cpSync('package.json', join(copy, 'package.json'))
  symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'))
  for (const name of names) plant(sources, mistakes[name])
  return sources
}

function plant(sources: string, { file, right, wrong }: Mistake): void {
  const path = join(sources, file)
  const text = readFileSync(path, 'utf8')
  if (text.split(right).length !== 2) throw new Error(`${file} has not one place with: ${right}`)
  writeFileSync(
    path,
    text.replace(right, () => wrong),
  )
}

export async function shrinkRoomOf(sources: string): Promise<typeof room> {
  return (await import(pathToFileURL(join(sources, 'shrink', 'index.js')).href)) as typeof room
}

/** From this seed on, each mistake makes one fail soon. */
export const firstSeed = 13
const seedsMax = 40

/** The first seed that the mistake makes fail in such a way that a list of steps of the protocol tells it. */
export function shrunkBy({ shrink, Bound }: typeof room): ShrunkToList {
  for (let seed = firstSeed; seed < firstSeed + seedsMax; seed++) {
    const shrunk = shrink(seed, new Bound())
    if (shrunk?.list !== undefined && 'size' in shrunk.list) return { ...shrunk, list: shrunk.list }
  }
  throw new Error(`none of ${seedsMax} seeds fails by steps`)
}

type ShrunkToList = room.Shrunk & {
  readonly list: Extract<room.Shrunk['list'], { readonly size: unknown }>
}
