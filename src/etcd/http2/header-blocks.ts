/** Blocks of headers, which may go on from a HEADERS frame in CONTINUATION frames. */
import { ConnectionError, codes, contentOf, type Frame, flags, frameHeadBytes } from './frames.js'
import { headerBytesMax } from './hpack.js'

/** A whole block is `bytes` from `start` to `end`; `first` is its HEADERS frame. */
export type TakeBlock = (first: Frame, bytes: Buffer, start: number, end: number) => void

export class HeaderBlocks {
  readonly #take: TakeBlock
  #open: { readonly first: Frame; readonly parts: Buffer[]; bytes: number } | undefined

  constructor(take: TakeBlock) {
    this.#take = take
  }

  /** A block has begun and not ended: the next frame must be its CONTINUATION. */
  get isOpen(): boolean {
    return this.#open !== undefined
  }

  begin(each: Frame): void {
    const { start, end } = contentOf(each)
    if ((each.flags & flags.endHeaders) !== 0) return this.#take(each, each.bytes, start, end)
    this.#open = { first: each, parts: [each.bytes.subarray(start, end)], bytes: end - start }
  }

  goOn(each: Frame): void {
    const block = this.#open
    if (block === undefined || block.first.streamId !== each.streamId) {
      throw new ConnectionError(codes.protocolError, 'headers go on that have not begun')
    }
    block.parts.push(each.bytes.subarray(each.start, each.end))
    // An empty part counts, too.
    block.bytes += each.end - each.start + frameHeadBytes
    if (block.bytes > headerBytesMax) throw new ConnectionError(codes.enhanceYourCalm, 'too many headers')
    if ((each.flags & flags.endHeaders) === 0) return
    this.#open = undefined
    const bytes = Buffer.concat(block.parts)
    this.#take(block.first, bytes, 0, bytes.length)
  }
}
