/**
 * A copy of the checkout for one mutant at a time. The compiled files are copied, since programs, threads and tests run
 * from there. All other files are linked.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** Names of files that no run needs. */
const left = /\.(?:map|d\.ts|tsbuildinfo)$/
const notLinked = ['.git', 'dist', 'package.json', 'vitest.config.js']

export class CheckoutCopy {
  readonly folder: string

  /** `folder` does not exist yet, and is the caller's to remove. */
  constructor(folder: string) {
    this.folder = folder
    mkdirSync(folder)
    cpSync('dist', join(folder, 'dist'), { recursive: true, filter: (path) => !left.test(path) })
    for (const name of readdirSync('.'))
      if (!notLinked.includes(name)) symlinkSync(resolve(name), join(folder, name))
    cpSync('package.json', join(folder, 'package.json'))
    writeFileSync(join(folder, 'vitest.config.js'), configIn(folder))
  }

  /** Puts another text in the place of a compiled file. The answer puts the former one back. */
  place(file: string, compiled: string): () => void {
    const path = join(this.folder, 'dist', file.replace(/\.ts$/, '.js'))
    const before = readFileSync(path)
    writeFileSync(path, compiled)
    return () => writeFileSync(path, before)
  }
}

/** That of the checkout, with a cache of its own: several copies run at a time. */
function configIn(folder: string): string {
  const base = JSON.stringify(resolve('vitest.config.js'))
  const cacheDir = JSON.stringify(join(dirname(folder), `cache-${basename(folder)}`))
  return `import base from ${base}\nexport default { ...base, cacheDir: ${cacheDir} }\n`
}
