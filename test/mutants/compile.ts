/** The compiler of mutated files: one call compiles all of them, and looks at no other file. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Failed } from '../../src/terminal/index.js'
import { type Mutant, mutatedText } from './mutant.js'

/** The types of other files are not looked up: what the compiler checks is the syntax. */
const compilerOptions = {
  ...{ target: 'ES2022', module: 'ESNext', moduleResolution: 'Bundler', verbatimModuleSyntax: true },
  ...{ noCheck: true, noResolve: true, noLib: true, types: [], rootDir: 'sources', outDir: 'compiled' },
}

/** The mutated files as JavaScript, by the id of their mutant. */
export function compileMutants(mutants: readonly Mutant[]): ReadonlyMap<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'raftbox-mutants-'))
  try {
    return compileIn(folder, mutants)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function compileIn(folder: string, mutants: readonly Mutant[]): ReadonlyMap<string, string> {
  for (const mutant of mutants) {
    const path = join(folder, 'sources', mutant.id, mutant.file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, mutatedText(mutant))
  }
  const config = { compilerOptions, include: ['sources/**/*.ts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const packageFile = createRequire(import.meta.url).resolve('typescript/package.json')
  const compiler = join(dirname(packageFile), 'bin', 'tsc')
  const { stdout } = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' })
  const error = /^.*error TS1\d{3}:.*$/m.exec(stdout)?.[0]
  if (error !== undefined) throw new Failed(`a mutant is no TypeScript: ${error}`)
  return new Map(
    mutants.map(({ id, file }) => {
      return [id, readFileSync(join(folder, 'compiled', id, file.replace(/\.ts$/, '.js')), 'utf8')]
    }),
  )
}
