/** The HTTP server of one cluster: it listens, lets in who may ask, and ends all streams when it is closed. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener, RequestError } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { metricsOf } from '../metrics/index.js'
import { BadInput } from '../terminal/index.js'
import { Feed, feedEvents } from './feed.js'
import { checkRequest, type Door, hostOf, pathOf } from './guard.js'
import { KeyWatches } from './key-watch.js'
import { Readers } from './readers.js'
import { Records } from './record.js'
import { refusalToldOf } from './refusals.js'
import type { Bindings, Served } from './rooms.js'
import { appOf } from './routes.js'
import { ScenarioRuns } from './scenario-run.js'

/** The page runs its own files only, draws with styles of its own making, and is shown in no other page. */
const headers = {
  'content-security-policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
}

/** A request must have come within these times, and a connection that asks nothing is closed. */
const timeouts = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5000 }
const connectionsMax = 256

type Listener = ReturnType<typeof getRequestListener>

export class PageServer {
  readonly #server: Server
  readonly #door: Door
  readonly #readers = new Readers()
  readonly #scenarios = new ScenarioRuns()
  #endEvents: () => void = () => undefined
  /** Requests wait for it while there is no cluster to tell of. */
  readonly #answer: Promise<Listener>
  #begin: (answer: Listener) => void = () => undefined

  private constructor(server: Server, door: Door) {
    this.#server = server
    this.#door = door
    this.#answer = new Promise((resolve) => {
      this.#begin = resolve
    })
    server.on('request', (request, response) => this.#asked(request, response))
  }

  /** Rejects with the error of Node when the address cannot be had. Port 0: any free one. */
  static async listen(door: Door): Promise<PageServer> {
    const server = createServer(timeouts)
    server.maxConnections = connectionsMax
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(door.port, door.address, () => {
        server.off('error', reject)
        resolve()
      })
    })
    // A connection that cannot be accepted, as for want of file descriptors, ends no sandbox.
    server.on('error', () => undefined)
    const { port } = server.address() as AddressInfo
    return new PageServer(server, { ...door, port })
  }

  get port(): number {
    return this.#door.port
  }

  /** `http://127.0.0.1:7007/`. */
  get url(): string {
    return `http://${hostOf(this.#door)}/`
  }

  /** Answers from now on, all of a cluster that has just started. */
  serve(served: Served): void {
    const events = new Feed()
    const { cluster, dropped = () => ({}) } = served
    const metrics = metricsOf(cluster, () => ({ ...this.#readers.leftOut, ...dropped() }))
    this.#endEvents = feedEvents(cluster, events)
    const app = appOf({
      ...served,
      events,
      keys: new KeyWatches(cluster),
      metrics,
      readers: this.#readers,
      records: new Records(),
      scenarios: this.#scenarios,
      alreadySent: RESPONSE_ALREADY_SENT,
    })
    this.#begin(
      getRequestListener((request, env) => app.fetch(request, env as Bindings), {
        overrideGlobalObjects: false,
        errorHandler: answerTo,
      }),
    )
  }

  /** Ends all streams and connections at once, and a scenario that runs. */
  async close(): Promise<void> {
    this.#endEvents()
    this.#readers.close()
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await Promise.all([closed, this.#scenarios.end()])
  }

  #asked(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    if (pathOf(request.url).startsWith('/api/')) response.setHeader('cache-control', 'no-store')
    try {
      const cookie = checkRequest(request, this.#door)
      if (cookie !== undefined) response.setHeader('set-cookie', cookie)
    } catch (error) {
      const { status, headers, body } = refusalToldOf(error)
      response.writeHead(status, { ...headers, 'content-type': 'application/json', connection: 'close' })
      response.end(JSON.stringify(body))
      return
    }
    void this.#answer.then((answer) => {
      // A client may have left while the cluster started.
      if (!response.destroyed) void answer(request, response)
    })
  }
}

/** The answer to a request that came to no route. */
function answerTo(error: unknown): Response {
  const told = error instanceof RequestError ? new BadInput(`this is no address: ${error.message}`) : error
  const { status, headers, body } = refusalToldOf(told)
  return Response.json(body, { status, headers })
}
