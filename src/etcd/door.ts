/** The port of one node in one of its lives: gRPC and HTTP/1.1 by the first bytes of each connection. */
import { createServer, type Server, type Socket } from 'node:net'
import { Valve, type WayState } from './valve.js'

export const host = '127.0.0.1'
/** Connections of a port at a time. */
export const connectionsMax = 4096
/** Milliseconds after which a connection is closed that has not said which protocol it speaks. */
const silentMs = 10_000

const open: WayState = { isOpen: true, delayOf: undefined }

/** Takes the connections of each protocol. */
export interface Rooms {
  http2(connection: Valve): void
  http1(connection: Valve): void
}

export class Door {
  readonly #rooms: Rooms
  readonly #server: Server
  readonly #connections = new Map<Socket, Valve>()
  /** The connections that have said nothing yet, the oldest first. */
  readonly #silent = new Map<Valve, NodeJS.Timeout>()
  #from: WayState = open
  #to: WayState = open

  constructor(rooms: Rooms) {
    this.#rooms = rooms
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket))
  }

  /** Resolves with the port, once clients can connect. Rejects where the port cannot be had. */
  async open(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        // As when the process has no file descriptor left: who connects then is refused, and nothing else.
        this.#server.on('error', () => undefined)
        resolve()
      })
    })
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : port
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
    if (this.#connections.size >= connectionsMax && !this.#makesRoom()) {
      socket.destroy()
      return
    }
    const valve = new Valve(socket, (isHttp2) => {
      this.#knows(valve)
      if (isHttp2) this.#rooms.http2(valve)
      else this.#rooms.http1(valve)
    })
    this.#connections.set(socket, valve)
    this.#silent.set(valve, setInterval(() => this.#tired(valve), silentMs).unref())
    socket.on('close', () => {
      this.#connections.delete(socket)
      this.#knows(valve)
    })
    valve.set(this.#from, this.#to)
  }

  /** Nobody is told while nothing is heard. */
  #tired(valve: Valve): void {
    if (this.#from.isOpen) valve.cut()
  }

  #knows(valve: Valve): void {
    clearInterval(this.#silent.get(valve))
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
