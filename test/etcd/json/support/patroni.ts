/** Patroni: PostgreSQL servers that elect their primary through etcd's API, over JSON. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from '../../../../bench/suite/index.js'
import { has } from '../../real-etcd.js'

/** PostgreSQL refuses to run as root. */
const owner =
  process.getuid?.() === 0 ? Number(spawnSync('id', ['-u', 'postgres']).stdout.toString() || -1) : undefined

/** Debian keeps PostgreSQL's programs where no `PATH` leads. */
const binFolder = ['15', '16', '17', '18']
  .map((version) => `/usr/lib/postgresql/${version}/bin`)
  .find((folder) => existsSync(join(folder, 'postgres')))

export const hasPatroni =
  has('patroni') && binFolder !== undefined && owner !== -1 && (owner === undefined || has('setpriv'))

export interface PatroniMember {
  readonly name: string
  readonly role: string
  readonly state: string
  readonly timeline?: number
}

export class Patroni implements AsyncDisposable {
  readonly #folder: string
  readonly #restPorts = new Map<string, number>()
  readonly #nodes = new Map<string, ChildProcess>()

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** Starts nodes of these names, which find each other by `endpoints` of etcd's API. */
  static async start(names: readonly string[], endpoints: readonly string[]): Promise<Patroni> {
    const patroni = new Patroni(mkdtempSync(join(tmpdir(), 'patroni-')))
    process.on('exit', patroni.#end)
    if (owner !== undefined) chownSync(patroni.#folder, owner, -1)
    const ports = await freePorts(2 * names.length)
    for (const [at, name] of names.entries()) {
      const [port, restPort] = [ports[2 * at] ?? 0, ports[2 * at + 1] ?? 0]
      patroni.#restPorts.set(name, restPort)
      patroni.#nodes.set(name, patroni.#spawn(name, port, restPort, endpoints))
    }
    return patroni
  }

  #spawn(name: string, port: number, restPort: number, endpoints: readonly string[]): ChildProcess {
    const config = join(this.#folder, `${name}.json`)
    writeFileSync(config, JSON.stringify(this.#settings(name, port, restPort, endpoints)))
    const asPostgres = ['setpriv', `--reuid=${owner}`, '--clear-groups', 'patroni', config]
    const [program = '', ...args] = owner === undefined ? ['patroni', config] : asPostgres
    return spawn(program, args, { stdio: 'ignore', cwd: this.#folder })
  }

  #settings(name: string, port: number, restPort: number, endpoints: readonly string[]): object {
    const [address, restAddress] = [`127.0.0.1:${port}`, `127.0.0.1:${restPort}`]
    return {
      scope: 'raftbox',
      name,
      restapi: { listen: restAddress, connect_address: restAddress },
      etcd3: { hosts: endpoints.map((endpoint) => new URL(endpoint).host) },
      bootstrap: {
        dcs: { ttl: 20, loop_wait: 1, retry_timeout: 3 },
        initdb: ['no-sync', { encoding: 'UTF8' }],
        pg_hba: [
          'local all all trust',
          'host all all 127.0.0.1/32 trust',
          'host replication all 127.0.0.1/32 trust',
        ],
      },
      postgresql: {
        listen: address,
        connect_address: address,
        data_dir: this.#dataFolder(name),
        bin_dir: binFolder,
        pgpass: join(this.#folder, `${name}.pgpass`),
        authentication: {
          superuser: { username: 'postgres', password: 'secret' },
          replication: { username: 'replicator', password: 'secret' },
        },
        parameters: { unix_socket_directories: this.#folder, fsync: 'off', shared_buffers: '16MB' },
      },
    }
  }

  #dataFolder(name: string): string {
    return join(this.#folder, name)
  }

  /** The members as one of them tells them; none where it does not answer. */
  async members(teller: string): Promise<readonly PatroniMember[]> {
    const told = (await this.#ask(teller, 'cluster')) as { members?: PatroniMember[] } | undefined
    return told?.members ?? []
  }

  /** When a node last heard of etcd's API, in seconds since 1970. */
  async lastSeen(name: string): Promise<number> {
    const told = (await this.#ask(name, 'patroni')) as { dcs_last_seen?: number } | undefined
    return told?.dcs_last_seen ?? 0
  }

  async #ask(name: string, path: string): Promise<unknown> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.#restPorts.get(name)}/${path}`)
      return await answer.json()
    } catch {
      return undefined
    }
  }

  /** Ends a node and its PostgreSQL in good order. */
  async stop(name: string): Promise<void> {
    const node = this.#nodes.get(name)
    if (node === undefined || !this.#nodes.delete(name) || node.exitCode !== null) return
    const ended = once(node, 'exit')
    node.kill('SIGTERM')
    await Promise.race([ended, delay(20_000)])
    if (node.exitCode === null) node.kill('SIGKILL')
    this.#endPostgres(name)
  }

  /** A PostgreSQL that outlived its Patroni leads a group of its own. */
  #endPostgres(name: string): void {
    const pidFile = join(this.#dataFolder(name), 'postmaster.pid')
    if (!existsSync(pidFile)) return
    const pid = Number(readFileSync(pidFile, 'utf8').split('\n', 1)[0])
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Its file alone is left.
    }
  }

  /** Leaves nothing, also when this process ends before the test does. */
  readonly #end = (): void => {
    for (const [name, node] of this.#nodes) {
      node.kill('SIGKILL')
      this.#endPostgres(name)
    }
    this.#nodes.clear()
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#nodes.keys()].map((name) => this.stop(name)))
    process.off('exit', this.#end)
    this.#end()
  }
}
