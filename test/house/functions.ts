/** How long a function may be, measured on the compiler's own tree of the source. */
import {
  computeLineStarts,
  getTokenPosOfNode,
  isFunctionLikeDeclaration,
  type Node,
} from 'typescript/unstable/ast'
import { createVirtualFileSystem } from 'typescript/unstable/fs'
import { API } from 'typescript/unstable/sync'
import type { SourceTree } from './source-tree.js'

const linesMax = 60
const configPath = '/tsconfig.json'

/**
 * Functions over 60 lines, from their first line to their last one: methods, accessors and callbacks too, and whatever
 * is nested in a function counts for both.
 */
export function longFunctions(tree: SourceTree): string[] {
  const config = { compilerOptions: { noLib: true, noResolve: true, types: [] }, include: ['**/*'] }
  const files = [...tree].map(([path, text]) => [`/${path}`, text])
  const fs = createVirtualFileSystem(Object.fromEntries([...files, [configPath, JSON.stringify(config)]]))
  const api = new API({ cwd: '/', fs })
  try {
    const program = api.updateSnapshot({ openProjects: [configPath] }).getProject(configPath)?.program
    return [...tree.keys()].flatMap((path) => {
      const source = program?.getSourceFile(`/${path}`)
      if (source === undefined) throw new Error(`the compiler did not read ${path}`)
      const starts = computeLineStarts(source.text)
      return functionsIn(source).flatMap((node) => {
        const first = lineAt(starts, getTokenPosOfNode(node, source))
        const lines = lineAt(starts, node.end - 1) - first + 1
        return lines > linesMax
          ? [`${path}:${first} is a function of ${lines} lines, not ${linesMax} at most`]
          : []
      })
    })
  } finally {
    api.close()
  }
}

function functionsIn(node: Node): Node[] {
  const found: Node[] = isFunctionLikeDeclaration(node) ? [node] : []
  node.forEachChild((child) => void found.push(...functionsIn(child)))
  return found
}

/** The line, counted from 1, of a place in the text. */
function lineAt(starts: readonly number[], position: number): number {
  return starts.findLastIndex((start) => start <= position) + 1
}
