/** Host programs as they are: their flags, their errors, their threads. Each runs in a process of its own. */
import { spawnSync } from 'node:child_process'
import { cpSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from './support.js'

const library = new URL('../../src/cluster/index.js', import.meta.url)
const timeout = 50_000

/** A program that starts a cluster, writes and closes. */
const writes = `
  const { startCluster } = await import(${JSON.stringify(library.href)})
  const cluster = await startCluster({ nodes: 1 })
  await cluster.put('a', 'b')
  console.log(String((await cluster.get('a')).value))
  await cluster.close()
`

/** Warnings of a machine that is slow for a moment are no fault of a program's flags. */
const slowMachine =
  /^\(node:\d+\) RaftboxWarning: (?:a write took the disk|the thread) of node \d .*\n(?:\(Use .*\n)?/gm

function run(args: readonly string[], { input = '', options = '' } = {}) {
  const env = { ...process.env, NODE_OPTIONS: options }
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    input,
    env,
    timeout,
  })
  return { status, stdout, stderr: stderr.replaceAll(slowMachine, '') }
}

const wrote = { status: 0, stdout: 'b\n', stderr: '' }

/** A preload for main programs: no thread can load it. */
function mainOnly(): string {
  const file = join(temporaryFolder(), 'main-only.mjs')
  writeFileSync(
    file,
    "import { isMainThread } from 'node:worker_threads'\nif (!isMainThread) throw new Error('a main program only')\n",
  )
  return file
}

test.each([
  ['an argument that is a module', ['--input-type=module', '-e', writes], {}],
  ['an argument that is a script', ['-e', `(async () => {${writes}})()`], {}],
  ['standard input', ['--input-type=module', '-'], { input: writes }],
])('a program given as %s starts a cluster', (_, args, given) => {
  expect(run(args, given)).toEqual(wrote)
})

test('preloads that suit a main program only are not loaded by nodes', () => {
  const preload = mainOnly()
  expect(run(['--import', preload, '--input-type=module', '-e', writes])).toEqual(wrote)
  expect(run(['-'], { input: `(async () => {${writes}})()`, options: `--import=${preload}` })).toEqual(wrote)
})

test('a machine is loaded with the loaders of its program', () => {
  const folder = temporaryFolder()
  const machine = join(folder, 'seven.machine')
  const apply =
    "apply: ({ count }, results) => { for (let n = 0; n < count; n++) results?.append(Buffer.from('7')) }"
  const others = "read() {}, *snapshot() {}, restore() {}, hash: () => ''"
  writeFileSync(machine, `export default () => ({ ${apply}, ${others} })`)
  const load = `export async function load(url, context, next) {
    return next(url, url.endsWith('.machine') ? { ...context, format: 'module' } : context)
  }`
  writeFileSync(join(folder, 'hooks.mjs'), load)
  const loader = join(folder, 'loader.mjs')
  writeFileSync(loader, "import { register } from 'node:module'\nregister('./hooks.mjs', import.meta.url)\n")
  const program = `
    const { startCluster } = await import(${JSON.stringify(library.href)})
    const cluster = await startCluster({ nodes: 1, machine: ${JSON.stringify(machine)} })
    console.log(String((await cluster.propose(Buffer.from('x'))).results[0]))
    await cluster.close()
  `
  // Node 26 warns of loaders that are registered, on standard error.
  const answered = { status: 0, stdout: '7\n' }
  expect(run(['--import', loader, '--input-type=module', '-e', program])).toMatchObject(answered)
  expect(run(['--input-type=module', '-e', program], { options: `--import=${loader}` })).toMatchObject(
    answered,
  )
})

test('[EV3] an error of a listener is a warning of the program, other listeners hear of the event, and the cluster keeps its promises', () => {
  const program = `
    const { startCluster } = await import(${JSON.stringify(library.href)})
    const cluster = await startCluster()
    await cluster.put('a', '1')
    const isHeard = ({ type }) => ['faultBegan', 'killed'].includes(type)
    cluster.events.on('event', (event) => { if (event.type === 'faultBegan') throw new Error('a bug of mine') })
    cluster.events.on('event', (event) => { if (isHeard(event)) console.log('heard', event.type) })
    const killed = await cluster.kill('leader')
    cluster.events.removeAllListeners()
    await cluster.put('a', '2')
    await cluster.restart(killed)
    console.log(cluster.status().map(({ state }) => state).join(), String((await cluster.get('a')).value))
    await cluster.close()
  `
  const { status, stdout, stderr } = run(['--input-type=module', '-e', program])
  expect([status, stdout]).toEqual([0, 'heard faultBegan\nheard killed\nrunning,running,running 2\n'])
  expect(stderr).toMatch(
    /RaftboxWarning: a listener of a cluster's events threw on 'faultBegan'\nError: a bug of mine/,
  )
})

test('[EV4] any number of listeners is no leak', () => {
  const program = `
    const { startCluster } = await import(${JSON.stringify(library.href)})
    const cluster = await startCluster({ nodes: 1 })
    for (let n = 0; n < 50; n++) cluster.events.on('event', () => undefined)
    await cluster.close()
  `
  expect(run(['--input-type=module', '-e', program])).toEqual({ status: 0, stdout: '', stderr: '' })
})

test.each(['threads', 'inline'])(
  '[CL3] a cluster whose directory was removed ends when it is closed (%s)',
  (host) => {
    const program = `
    import { rmSync } from 'node:fs'
    const { startCluster, RaftError } = await import(${JSON.stringify(library.href)})
    const cluster = await startCluster({ host: '${host}' })
    await cluster.put('a', '1')
    rmSync(cluster.dir, { recursive: true })
    const error = await cluster.close().then(() => undefined, (error) => error)
    console.log(error === undefined || (error instanceof RaftError && error.message.includes(cluster.dir)))
  `
    expect(run(['--input-type=module', '-e', program])).toEqual({ status: 0, stdout: 'true\n', stderr: '' })
  },
)

test.skipIf(process.platform !== 'linux')(
  'the nodes of a cluster end with the thread that started it',
  () => {
    const folder = temporaryFolder()
    const file = join(folder, 'main.mjs')
    const program = `
    import { once } from 'node:events'
    import { readdirSync } from 'node:fs'
    import { stat } from 'node:fs/promises'
    import { setImmediate } from 'node:timers/promises'
    import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
    const threads = () => readdirSync('/proc/self/task').length
    if (isMainThread) {
      // The first asynchronous call for a file starts the threads that Node has for files.
      await stat('.')
      const before = threads()
      for (const round of [1, 2]) {
        const worker = new Worker(new URL(import.meta.url), { workerData: ${JSON.stringify(folder)} + '/' + round })
        await once(worker, 'message')
        if (threads() < before + 4) throw new Error('three nodes and their starter have a thread each')
        await worker.terminate()
        while (threads() !== before) await setImmediate()
      }
      console.log('ended')
    } else {
      const { startCluster } = await import(${JSON.stringify(library.href)})
      const cluster = await startCluster({ dir: workerData })
      await cluster.put('a', 'b')
      parentPort.postMessage('started')
    }
  `
    writeFileSync(file, program)
    expect(run([file])).toEqual({ status: 0, stdout: 'ended\n', stderr: '' })
  },
)

test('code that a bundler has moved away from the file of its threads says how to mend it', () => {
  const folder = temporaryFolder()
  cpSync(new URL('../../src', import.meta.url), join(folder, 'src'), { recursive: true })
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'))
  const program = `
    const { startCluster } = await import('./src/cluster/index.js')
    await startCluster().catch(({ code, message }) => console.log(code, message.includes('--external:raftbox')))
  `
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'main.js'), program)
  expect(run([join(folder, 'main.js')])).toEqual({ status: 0, stdout: 'NODE_FAILED true\n', stderr: '' })
})
