/** Frames for readers: those that are kept, if they are asked for, and from then on each new one. */
import type { Frame, KeptFrame, Observer } from '../observer/index.js'
import { spanning } from '../telemetry/index.js'
import type { Reader } from './readers.js'

/**
 * A reader that is behind misses frames, and sees it by the gap in their numbers. The frame behind the gap tells the
 * latencies of those too. The stream ends with the observer.
 */
export function sendFrames(observer: Observer, reader: Reader, withHistory: boolean): void {
  reader.send({ event: 'head', data: JSON.stringify(observer.head) })
  const { frames } = observer
  let kept = (withHistory ? frames : frames.slice(-1)).values()
  let lastNumber = 0
  let [isToldAll, isClosed] = [false, false]
  const pump = (): void => {
    while (!isToldAll && !reader.isBehind) {
      const { value, done } = kept.next()
      if (done) {
        // Frames that came while the reader read those before them.
        const newer = observer.frames.filter(({ number }) => number > lastNumber)
        isToldAll = newer.length === 0
        kept = newer.values()
      } else {
        lastNumber = value.number
        sendFrame(reader, value)
      }
    }
    if (isToldAll && isClosed) reader.end()
  }
  pump()
  reader.onDrain(pump)
  let missed: Frame | undefined
  const tell = (frame: Frame, kept: KeptFrame): void => {
    if (!isToldAll) return
    const spanned = missed === undefined ? frame : spanning(missed, frame)
    missed = reader.isBehind ? spanned : undefined
    if (reader.isBehind) reader.leavesOut('frames', 1)
    else sendFrame(reader, spanned === frame ? kept : { ...kept, text: JSON.stringify(spanned) })
  }
  const end = (): void => {
    isClosed = true
    pump()
  }
  reader.onClose(observer.watch(tell, end))
}

function sendFrame(reader: Reader, { number: id, text: data }: KeptFrame): void {
  reader.send({ id, event: 'frame', data })
}
