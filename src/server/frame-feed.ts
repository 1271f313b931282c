/** Frames for readers: those that are kept, if they are asked for, and from then on each new one. */
import type { KeptFrame, Observer } from '../observer/index.js'
import type { Reader } from './readers.js'

/** A reader that is behind misses frames, and sees it by the gap in their numbers. */
export function sendFrames(observer: Observer, reader: Reader, withHistory: boolean): void {
  reader.send({ event: 'head', data: JSON.stringify(observer.head) })
  const { frames } = observer
  const history = (withHistory ? frames : frames.slice(-1))[Symbol.iterator]()
  let isToldAll = false
  const pump = (): void => {
    while (!isToldAll && !reader.isBehind) {
      const { value, done } = history.next()
      if (done) isToldAll = true
      else sendFrame(reader, value)
    }
  }
  pump()
  reader.onDrain(pump)
  reader.onClose(
    observer.watch((_, frame) => {
      if (isToldAll && !reader.isBehind) sendFrame(reader, frame)
      else reader.leavesOut('frames', 1)
    }),
  )
}

function sendFrame(reader: Reader, { number: id, text: data }: KeptFrame): void {
  reader.send({ id, event: 'frame', data })
}
