/** etcd's Watch service. */
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { EtcdError } from '../errors.js'
import type { Member } from '../member.js'
import { hubOf } from '../watch/hubs.js'
import { type Outlet, type WatchRequest, WatchStream } from '../watch/stream.js'
import { Leaderless } from './leaderless.js'
import { admit, codecOf, definitionOf, refusalOf, type Service, undecoded } from './service.js'

const watch = definitionOf('etcdserverpb.Watch')
const definition = undecoded(watch)
const requests = codecOf<WatchRequest>(watch, 'Watch')

/** Bytes of responses that the client has not taken. A stream with more has no room, until it is down to half of them. */
const heldBytesMax = 512 * 1024

export function watchService(member: Member, electionTimeoutMs: number): Service {
  const leaderless = new Leaderless(member, electionTimeoutMs)
  return {
    definition,
    implementation: {
      Watch: (call: Call): void => {
        try {
          admit(member, call.metadata, () => false)
        } catch (error) {
          call.emit('error', refusalOf(error))
          return
        }
        const outlet = new CallOutlet(call)
        const stream = new WatchStream(hubOf(member), outlet)
        outlet.onRoom = () => stream.drained()
        const forget =
          call.metadata.get('hasleader')[0] === 'true'
            ? leaderless.watch(() => outlet.fail(new EtcdError('noLeader')))
            : undefined
        outlet.onEnd = () => {
          forget?.()
          stream.close()
        }
        // A client that has asked for all that it wants still listens.
        call.on('data', (request) => outlet.hear(request, stream))
        call.on('cancelled', () => outlet.end())
      },
    },
  }
}

type Call = ServerDuplexStream<Buffer, Buffer>

class CallOutlet implements Outlet {
  onRoom: () => void = () => undefined
  onEnd: () => void = () => undefined
  readonly #call: Call
  #heldBytes = 0
  #isFull = false
  #isOver = false

  constructor(call: Call) {
    this.#call = call
  }

  get hasRoom(): boolean {
    return !this.#isFull
  }

  write(response: Buffer): void {
    if (this.#isOver) return
    this.#heldBytes += response.byteLength
    if (this.#heldBytes >= heldBytesMax) this.#isFull = true
    this.#call.write(response, () => this.#taken(response.byteLength))
  }

  pause(): void {
    this.#call.pause()
  }

  resume(): void {
    this.#call.resume()
  }

  hear(request: Buffer, stream: WatchStream): void {
    if (this.#isOver) return
    try {
      stream.receive(requests.decode(request))
    } catch (error) {
      this.fail(error)
    }
  }

  fail(error: unknown): void {
    if (this.#isOver) return
    this.end()
    this.#call.emit('error', refusalOf(error))
  }

  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.onEnd()
  }

  #taken(bytes: number): void {
    this.#heldBytes -= bytes
    if (!this.#isFull || this.#heldBytes > heldBytesMax / 2 || this.#isOver) return
    this.#isFull = false
    this.onRoom()
  }
}
