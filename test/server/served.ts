/** A cluster with its server, as a sandbox has it, and programs that ask it. */
import { request } from 'node:http'
import { onTestFinished } from 'vitest'
import type { Cluster, ClusterOptions } from '../../src/cluster/index.js'
import { Observer } from '../../src/observer/index.js'
import { PageServer } from '../../src/server/index.js'
import { ClusterSubject } from '../../src/verbs/index.js'
import { startedCluster } from '../cluster/support.js'

export interface Door {
  readonly address: string
  readonly port: number
  readonly token: string | undefined
}

export class Served {
  readonly cluster: Cluster
  readonly subject: ClusterSubject
  readonly observer: Observer
  readonly server: PageServer
  quits = 0

  private constructor(cluster: Cluster, server: PageServer) {
    this.cluster = cluster
    this.server = server
    const subject = new ClusterSubject(cluster)
    this.subject = subject
    this.observer = new Observer(cluster, () => subject.loadClients)
    const quit = (): void => void this.quits++
    server.serve({ cluster, subject, observer: this.observer, quit })
  }

  static async start(options: ClusterOptions = { nodes: 1 }, door: Partial<Door> = {}): Promise<Served> {
    const cluster = await startedCluster(options)
    const server = await PageServer.listen({ address: '127.0.0.1', port: 0, token: undefined, ...door })
    const served = new Served(cluster, server)
    onTestFinished(async () => {
      served.observer.close()
      await server.close()
    })
    return served
  }

  url(path: string): string {
    return new URL(path, this.server.url).href
  }

  get(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.url(path), init)
  }

  async json(path: string): Promise<Record<string, unknown>> {
    return (await (await this.get(path)).json()) as Record<string, unknown>
  }

  /** Sends a line, as the page does. */
  async do(line: string | Buffer<ArrayBuffer>, path = '/api/do'): Promise<Told> {
    return told(
      await this.get(path, { method: 'POST', body: line, headers: { 'content-type': 'text/plain' } }),
    )
  }

  /** A request that `fetch` would not make: any method, path and headers. */
  raw(method: string, path: string, headers: Record<string, string> = {}, body?: Uint8Array): Promise<Told> {
    const length = body === undefined ? {} : { 'content-length': String(body.length) }
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          ...{ host: '127.0.0.1', port: this.server.port, method, path, agent: false },
          headers: { ...headers, ...length },
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk
          })
          response.on('end', () => resolve({ status: response.statusCode ?? 0, ...parsed(text) }))
        },
      )
      asked.on('error', reject)
      asked.end(body)
    })
  }
}

export interface Told {
  readonly status: number
  readonly [field: string]: unknown
}

export async function told(response: Response): Promise<Told> {
  return { status: response.status, ...parsed(await response.text()) }
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return { text }
  }
}

export interface StreamEvent {
  readonly id: number | undefined
  readonly event: string
  readonly data: Record<string, unknown>
}

/** Reads a stream until it has ended or enough has come, and leaves it then. */
export async function read(
  response: Response,
  isEnough: (events: readonly StreamEvent[]) => boolean,
): Promise<StreamEvent[]> {
  const events: StreamEvent[] = []
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (!isEnough(events)) {
    const { value, done } = await reader.read()
    if (done) break
    const blocks = (text + value).split('\n\n')
    text = blocks.pop() ?? ''
    events.push(...blocks.filter((block) => !block.startsWith(':')).map(eventIn))
  }
  await reader.cancel()
  return events
}

function eventIn(block: string): StreamEvent {
  const fields = new Map(block.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]))
  const id = fields.get('id')
  return {
    id: id === undefined ? undefined : Number(id),
    event: fields.get('event') ?? 'message',
    data: JSON.parse(fields.get('data') ?? ''),
  }
}

/** True once so many events of the kind have come. */
export function some(event: string, count = 1): (events: readonly StreamEvent[]) => boolean {
  return (events) => events.filter((each) => each.event === event).length >= count
}
