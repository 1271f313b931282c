/** The port of one node in one of its lives: gRPC and HTTP/1.1 by the first bytes of each connection. */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { patient } from './patience.js'
import { Valve, type WayState } from './valve.js'

export const host = '127.0.0.1'
export interface DoorBounds {
  /** Connections of the port at a time. */
  readonly connectionsMax: number
  /** Milliseconds after which a connection is closed that has not said which protocol it speaks. */
  readonly silentMs: number
}

const doorBounds: DoorBounds = { connectionsMax: 4096, silentMs: 10_000 }

export const open: WayState = { isOpen: true, delayOf: undefined }

/** Takes the connections of each protocol. */
export interface Rooms {
  http2(connection: Valve): void
  http1(connection: Valve): void
}

export class Door {
  readonly #rooms: Rooms
  readonly #bounds: DoorBounds
  readonly #server: Server
  readonly #connections = new Map<Socket, Valve>()
  /** The connections that have said nothing yet, the oldest first. */
  readonly #silent = new Map<Valve, () => void>()
  #from: WayState = open
  #to: WayState = open

  constructor(rooms: Rooms, bounds = doorBounds) {
    this.#rooms = rooms
    this.#bounds = bounds
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket))
    // As when the process has no file descriptor left: the one who connects is refused, and nothing else.
    this.#server.on('error', () => undefined)
  }

  /** Resolves with the first of the ports that can be had, once clients can connect. Rejects where there is none. */
  async open(ports: readonly number[]): Promise<number> {
    let refusal: unknown
    for (const port of ports) {
      try {
        this.#server.listen(port, host)
        await once(this.#server, 'listening')
        const address = this.#server.address()
        return typeof address === 'object' && address !== null ? address.port : port
      } catch (error) {
        refusal = error
      }
    }
    throw refusal
  }

  get isOpen(): boolean {
    return this.#server.listening
  }

  /** Opens, shuts or delays the ways of all connections: from the clients, and to them. */
  set(from: WayState, to: WayState): void {
    this.#from = from
    this.#to = to
    for (const valve of this.#connections.values()) valve.set(from, to)
  }

  /** Ends the port and all of its connections at once. */
  close(): void {
    this.#server.close()
    for (const valve of this.#connections.values()) valve.cut()
  }

  #accept(socket: Socket): void {
    if (this.#connections.size >= this.#bounds.connectionsMax && !this.#makesRoom()) {
      socket.destroy()
      return
    }
    const valve = new Valve(socket, (isHttp2) => {
      this.#knows(valve)
      if (isHttp2) this.#rooms.http2(valve)
      else this.#rooms.http1(valve)
    })
    this.#connections.set(socket, valve)
    this.#silent.set(
      valve,
      patient(valve, this.#bounds.silentMs, () => valve.cut()),
    )
    socket.on('close', () => {
      this.#connections.delete(socket)
      this.#knows(valve)
    })
    valve.set(this.#from, this.#to)
  }

  #knows(valve: Valve): void {
    this.#silent.get(valve)?.()
    this.#silent.delete(valve)
  }

  /** Ends the connection that has been silent longest, if there is one. */
  #makesRoom(): boolean {
    const [oldest] = this.#silent.keys()
    if (oldest === undefined) return false
    oldest.cut()
    return true
  }
}
