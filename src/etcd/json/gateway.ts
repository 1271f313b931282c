/** etcd's JSON gateway, its health, its version and its metrics: what the port of a member answers over HTTP/1.1. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { MethodDefinition, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'
import { endAfter } from '../patience.js'
import { Exchange, type ExchangeBounds, type GatewayMethod } from './exchange.js'
import { routes } from './routes.js'
import { methodOf } from './shapes.js'

export interface GatewayOptions {
  /** As gRPC's server has them. */
  readonly services: readonly {
    readonly definition: ServiceDefinition
    readonly implementation: UntypedServiceImplementation
  }[]
  readonly version: { readonly etcdserver: string; readonly etcdcluster: string }
  /** Whether the member serves, and no alarm but those to `exclude` is raised. */
  isHealthy(exclude: readonly string[]): Promise<boolean>
  /** In the text form of Prometheus. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>
  readonly bounds: ExchangeBounds & {
    /** The headers of the first request are there by then, or the connection ends. */
    readonly headersMs: number
  }
}

/**
 * Serves connections that are handed to it by its event `connection`; it has no port of its own. Requests of one
 * connection are answered one after the other.
 */
export function createGateway(options: GatewayOptions): Server {
  const { headersMs } = options.bounds
  const gateway = new Gateway(options)
  /** By connection: ends the wait for its first request. */
  const silent = new WeakMap<Duplex, () => void>()
  // A server without a port checks no timeouts of its own. A stream has no end by which its request should be there, and
  // a connection that is idle stays open, as with etcd.
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 0 }, (request, response) => {
    silent.get(request.socket)?.()
    gateway.answer(request, response)
  })
  server.on('connection', (connection: Duplex) => {
    silent.set(connection, endAfter(connection, headersMs))
  })
  return server
}

/** Requests that a connection may send without waiting for their answers. */
const openMax = 64

class Gateway {
  readonly #options: GatewayOptions
  readonly #methods = new Map<string, GatewayMethod>()
  /** Requests of a connection that have no answer yet. */
  readonly #open = new WeakMap<object, number>()

  constructor(options: GatewayOptions) {
    this.#options = options
    const handlers = new Map(options.services.flatMap(methodsOf).map((method) => [method.path, method]))
    for (const [route, path] of routes) {
      const method = handlers.get(path)
      if (method !== undefined) this.#methods.set(route, { ...methodOf(path), ...method })
    }
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const refusal = foreign(request)
    if (refusal !== undefined) return sendText(response, refusal.code, refusal.text)
    for (const [name, value] of Object.entries(corsHeaders)) response.setHeader(name, value)
    if (request.method === 'OPTIONS') {
      response.end()
      return
    }
    const [way = '', query = ''] = request.url?.split('?', 2) ?? []
    const path = way.replace(/^\/v3beta\//, '/v3/')
    if (path.startsWith('/v3/')) this.#call(path, request, response)
    else this.#tell(path, new URLSearchParams(query), request, response)
  }

  #call(path: string, request: IncomingMessage, response: ServerResponse): void {
    const method = this.#methods.get(path)
    if (method === undefined) return sendText(response, 404, 'Not Found')
    if (request.method !== 'POST') return sendText(response, 405, 'Method Not Allowed')
    if (!this.#makeRoom(request, response))
      return sendText(response, 429, 'too many requests of one connection')
    void new Exchange(method, request, response, this.#options.bounds).run()
  }

  /** A client that does not wait for its answers has a bounded number of calls. */
  #makeRoom({ socket }: IncomingMessage, response: ServerResponse): boolean {
    const open = this.#open.get(socket) ?? 0
    if (open >= openMax) return false
    this.#open.set(socket, open + 1)
    response.on('close', () => this.#open.set(socket, (this.#open.get(socket) ?? 1) - 1))
    return true
  }

  #tell(path: string, query: URLSearchParams, request: IncomingMessage, response: ServerResponse): void {
    const tell = this.#told[path]
    if (tell === undefined) return sendText(response, 404, '404 page not found')
    if (request.method !== 'GET' && path !== '/metrics') {
      response.setHeader('Allow', 'GET')
      return sendText(response, 405, 'Method Not Allowed')
    }
    tell(response, query).catch((error: Error) => sendText(response, 500, error.message))
  }

  readonly #told: Readonly<
    Record<string, (response: ServerResponse, query: URLSearchParams) => Promise<void>>
  > = {
    '/version': async (response) => {
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify(this.#options.version))
    },
    '/health': async (response, query) => {
      const isHealthy = await this.#options.isHealthy(query.getAll('exclude'))
      const text = JSON.stringify({ health: String(isHealthy) })
      if (!isHealthy) return sendText(response, 503, text)
      response.setHeader('Content-Type', plainText)
      response.end(text)
    },
    '/metrics': async (response) => {
      const { contentType, text } = await this.#options.metrics()
      response.setHeader('Content-Type', contentType)
      response.end(text)
    },
  }
}

interface Handled extends Pick<GatewayMethod, 'definition' | 'handler'> {
  readonly path: string
}

/** Its methods. A method that is not implemented has no route. */
function methodsOf({ definition, implementation }: GatewayOptions['services'][number]): Handled[] {
  return Object.entries(definition).flatMap(([name, method]) => {
    const handler = implementation[name]
    return handler === undefined
      ? []
      : [{ path: method.path, definition: method as MethodDefinition<unknown, unknown>, handler }]
  })
}

/** As etcd has them by default. */
const corsHeaders = {
  'Access-Control-Allow-Headers': 'accept, content-type, authorization',
  'Access-Control-Allow-Methods': 'POST, GET, OPTIONS, PUT, DELETE',
  'Access-Control-Allow-Origin': '*',
}

const ownHost = /^(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i

/**
 * etcd serves every page that a browser of this machine shows. Members answer programs of this machine only: a name that
 * was bent to this address is refused, and so is a page of another site.
 */
function foreign({ headers }: IncomingMessage): { readonly code: number; readonly text: string } | undefined {
  const { host = '', origin } = headers
  if (!ownHost.test(host))
    return {
      code: 421,
      text: `this member answers at localhost and 127.0.0.1, and not at ${host || 'no host'}`,
    }
  if (origin === undefined || ownHost.test(origin.replace(/^https?:\/\//, ''))) return undefined
  return { code: 403, text: `a page of ${origin} may not ask this member` }
}

const plainText = 'text/plain; charset=utf-8'

/** As Go's HTTP server tells an error. */
function sendText(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { 'Content-Type': plainText, 'X-Content-Type-Options': 'nosniff' })
  response.end(`${text}\n`)
}
