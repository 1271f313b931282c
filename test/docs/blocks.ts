/** Code in the guides: each block of JavaScript or TypeScript is a file, which a test runs. */
import { posix } from 'node:path'

const block = /(?:<!-- (\S+) -->\n)?```(\w+)\n([\s\S]*?)```/g

/** The faults in the blocks of a guide. `read` gives a file of the tree, or `undefined`. */
export function brokenBlocks(
  path: string,
  text: string,
  read: (path: string) => string | undefined,
): string[] {
  const broken: string[] = []
  for (const [, name, language, code] of text.matchAll(block)) {
    if (language !== 'js' && language !== 'ts') continue
    const file = name === undefined ? undefined : posix.join(posix.dirname(path), name)
    if (file === undefined) broken.push(`${path} has code of no file: ${code?.split('\n', 1)[0]}`)
    else if (read(file) !== code) broken.push(`${path} has another ${name} than the file`)
  }
  return broken
}

/** Names in the first column of the table behind a heading or a header row: `` | `name(…)` | ``. */
export function firstColumn(text: string, header: string): string[] {
  const names: string[] = []
  const lines = text.split('\n')
  for (let at = lines.findIndex((line) => line.startsWith(`| ${header} |`)) + 2; at < lines.length; at++) {
    const name = /^\| `(\w+)/.exec(lines[at] ?? '')?.[1]
    if (name === undefined) break
    names.push(name)
  }
  return names
}
