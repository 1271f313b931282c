/** Watches of the server itself: for locks and elections that wait. */
import { EtcdError } from '../errors.js'
import type { Member } from '../member.js'
import type { WatchEvent } from './history.js'
import type { WatchHub } from './hub.js'
import { hubOf } from './hubs.js'
import type { Listener, Watcher } from './watcher.js'

/** A response to a watch. */
export interface Told {
  readonly header: Buffer
  readonly events: readonly WatchEvent[]
}

/** So many wait to be taken at most. */
const toldMax = 16
const noBytes = Buffer.alloc(0)

/**
 * Events of a key, or of a range of keys, from revision `from` on. Throws `compacted` when that history is gone, and ends
 * when `signal` is aborted.
 */
export async function* follow(
  member: Member,
  range: { readonly key: string; readonly end: string | undefined },
  from: number,
  signal: AbortSignal,
): AsyncGenerator<Told> {
  const hub = hubOf(member)
  const following = new Following(hub, range, from)
  const wake = (): void => following.wake()
  signal.addEventListener('abort', wake)
  hub.open(following)
  hub.ask(following)
  try {
    while (!signal.aborted) {
      const told = await following.next()
      if (told !== undefined) yield told
    }
  } finally {
    signal.removeEventListener('abort', wake)
    hub.delete(following.watcher)
    hub.close(following)
  }
}

class Following implements Listener {
  readonly watcher: Watcher
  /** The watch waits for the hub to have a position. */
  readonly requests = { length: 1 }
  readonly #hub: WatchHub
  readonly #told: Told[] = []
  #failure: unknown
  #wake: () => void = () => undefined

  constructor(
    hub: WatchHub,
    range: { readonly key: string; readonly end: string | undefined },
    from: number,
  ) {
    this.#hub = hub
    this.watcher = {
      ...range,
      listener: this,
      idBytes: noBytes,
      noPut: false,
      noDelete: false,
      prevKv: false,
      fragment: false,
      progressNotify: false,
      next: from,
      hasSent: false,
    }
  }

  get hasRoom(): boolean {
    return this.#told.length < toldMax
  }

  /** `undefined`: somebody has woken the follower. */
  async next(): Promise<Told | undefined> {
    if (this.#told.length === 0 && this.#failure === undefined)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    const told = this.#told.shift()
    if (told === undefined && this.#failure !== undefined) throw this.#failure
    this.#hub.wake()
    return told
  }

  wake(): void {
    this.#wake()
  }

  serve(): void {
    this.#hub.add(this.watcher)
  }

  sendEvents(_watcher: Watcher, header: Buffer, events: readonly WatchEvent[]): void {
    this.#told.push({ header, events })
    this.#wake()
  }

  /** Nobody asks for it. */
  sendProgress(): void {}

  sendCompacted(): void {
    this.fail(new EtcdError('compacted'))
  }

  fail(error: unknown): void {
    this.#failure = error
    this.#wake()
  }
}
