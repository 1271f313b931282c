/**
 * The source tree as the house rules see it: every TypeScript file with its text, and what it imports.
 * Rules take such a tree as a value, so that each is also tried on a small tree which breaks it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'

/** The path from the top of the repository, with forward slashes, to the text of the file. */
export type SourceTree = ReadonlyMap<string, string>

export interface Import {
  readonly from: string
  readonly specifier: string
}

/** Reads all files below `folder` whose names end so. A folder that does not exist is empty. */
export function readTree(folder: string, ending = /\.tsx?$/): SourceTree {
  if (!existsSync(folder)) return new Map()
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => posix.join(folder, path.replaceAll('\\', '/')))
    .filter((path) => ending.test(path))
    .sort()
  return new Map(paths.map((path) => [path, readFileSync(path, 'utf8')]))
}

/** A string is matched whole, so that a `//` inside it is not taken for a comment. */
const stringOrComment =
  /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g

/** The text without its comments: a rule must not be broken by the sentence that explains it. */
export function withoutComments(text: string): string {
  return text.replace(stringOrComment, (found) => (found.startsWith('/') ? ' ' : found))
}

/** The strings in the text, without their quotes and as they are written. */
export function stringsOf(text: string): string[] {
  return (text.match(stringOrComment) ?? [])
    .filter((found) => !found.startsWith('/'))
    .map((found) => found.slice(1, -1))
}

/** `import … from 'x'`, `export … from 'x'`, `import 'x'`, `import('x')` and `new URL('./x.js', import.meta.url)`. */
const specifierPattern =
  /(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])([^'"\n]+)\1|\bnew\s+URL\(\s*(['"])(\.[^'"\n]+)\3\s*,\s*import\.meta\.url/g

export function importsOf(tree: SourceTree): Import[] {
  const imports: Import[] = []
  for (const [from, text] of tree) {
    for (const match of withoutComments(text).matchAll(specifierPattern)) {
      const specifier = match[2] ?? match[4]
      if (specifier !== undefined) imports.push({ from, specifier })
    }
  }
  return imports
}

/** The files of dist/threads, each by the module from which it is built (src/node/vite.config.ts). */
const builtFrom: Readonly<Record<string, string>> = {
  'threads/node.ts': 'src/node/worker.ts',
  'threads/mvcc.ts': 'src/mvcc/module.ts',
}

/** The source file that a relative specifier names, or `undefined` for a package or a Node module. */
export function targetOf({ from, specifier }: Import): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  const path = posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts')
  if (Object.hasOwn(builtFrom, path)) return builtFrom[path]
  // Of a file with elements in it, only such a one tells.
  return from.endsWith('.tsx') && !existsSync(path) && existsSync(`${path}x`) ? `${path}x` : path
}

/** `src/raft/log.ts` is in the room `raft`. */
export function roomOf(path: string): string {
  return path.split('/')[1] ?? ''
}
