/** The package's types as a stranger's compiler finds them: packed, unpacked elsewhere, and resolved in each way. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'raftbox-consumer-'))
const modules = join(folder, 'node_modules')
const isWindows = process.platform === 'win32'

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The files that npm would install, without a registry: the tarball, and beside it the types of Node. */
beforeAll(() => {
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const packed = execFileSync('npm', pack, { encoding: 'utf8', shell: isWindows })
  const [{ filename = '' } = {}] = JSON.parse(packed) as { filename?: string }[]
  mkdirSync(join(modules, 'raftbox'), { recursive: true })
  execFileSync('tar', [
    '-xzf',
    join(folder, filename),
    '--strip-components=1',
    '-C',
    join(modules, 'raftbox'),
  ])
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: object }
  for (const name of ['@types/node', ...Object.keys(dependencies)]) {
    const link = join(modules, name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(resolve('node_modules', name), link, 'junction')
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
  copyFileSync('test/docs/consumer.ts', join(folder, 'consumer.ts'))
  copyFileSync('docs/examples/ledger.ts', join(folder, 'ledger.ts'))
})

/** The compiler's messages about files in the consumer's folder; the declarations of others are checked as well. */
function complaintsOf(files: readonly string[], module: string, moduleResolution: string): string {
  const flags = ['--noEmit', '--strict', '--target', 'es2023', '--types', 'node', '--skipLibCheck', 'false']
  const how = ['--module', module, '--moduleResolution', moduleResolution]
  const tsc = resolve('node_modules/typescript/bin/tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, ...flags, ...how, ...files], {
    cwd: folder,
    encoding: 'utf8',
  })
  return stdout
}

const ways = [
  ['node16', 'node16'],
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
  ['preserve', 'bundler'],
] as const

test.each(ways)('every entry point has types under module %s, resolved as %s', (module, resolution) => {
  expect(complaintsOf(['consumer.ts', 'ledger.ts'], module, resolution)).toBe('')
})

test.each(ways)(
  'what does not fit the types is found under module %s, resolved as %s',
  (module, resolution) => {
    const text = "import { startCluster } from 'raftbox'\nawait startCluster({ nodes: 'three' })\nexport {}\n"
    writeFileSync(join(folder, 'wrong.ts'), text)
    expect(complaintsOf(['wrong.ts'], module, resolution)).toContain(
      "Type 'string' is not assignable to type 'number'",
    )
  },
)
