/** Rules about whole files: how long one may be, and that each is reachable. */
import { importsOf, type SourceTree, targetOf } from './source-tree.js'

const linesMax = 400

export function tooLong(tree: SourceTree): string[] {
  return [...tree]
    .map(([path, text]) => ({ path, lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0) }))
    .filter(({ lines }) => lines > linesMax)
    .map(({ path, lines }) => `${path} has ${lines} lines, not ${linesMax} at most`)
}

/** Where a program or a thread begins. Nothing imports these, and everything hangs on them. */
const entryPoint =
  /^src\/(?:cluster\/index|raft\/index|sim\/index|testing\/index|check\/index|etcd\/index|mvcc\/module|cli\/main|node\/worker|jobs\/.*-job|page\/main|(?:page|node)\/vite\.config)\.tsx?$/

/** Files which no entry point reaches. */
export function deadFiles(tree: SourceTree): string[] {
  const targets = new Map<string, string[]>()
  for (const found of importsOf(tree)) {
    const target = targetOf(found)
    if (target !== undefined) targets.set(found.from, [...(targets.get(found.from) ?? []), target])
  }
  const reached = new Set<string>()
  const toVisit = [...tree.keys()].filter((path) => entryPoint.test(path))
  for (let path = toVisit.pop(); path !== undefined; path = toVisit.pop()) {
    if (reached.has(path)) continue
    reached.add(path)
    toVisit.push(...(targets.get(path) ?? []))
  }
  // Declarations are the compiler's, and nothing imports them.
  return [...tree.keys()].filter((path) => !reached.has(path) && !path.endsWith('.d.ts'))
}
