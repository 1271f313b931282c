/** Frames for readers: those that are kept, if they are asked for, and from then on each new one. */
import type { Frame, Observer } from '../observer/index.js'
import type { Reader } from './readers.js'

/** A reader that is behind misses frames, and sees it by the gap in their numbers. */
export function sendFrames(observer: Observer, reader: Reader, withHistory: boolean): void {
  reader.send({ event: 'head', data: JSON.stringify(observer.head) })
  const { frames } = observer
  const history = (withHistory ? frames : frames.slice(-1))[Symbol.iterator]()
  let isOver = false
  const pump = (): void => {
    while (!isOver && !reader.isBehind) {
      const { value, done } = history.next()
      if (done) isOver = true
      else sendFrame(reader, value)
    }
  }
  pump()
  reader.onDrain(pump)
  reader.onClose(
    observer.watch((frame) => {
      if (isOver && !reader.isBehind) sendFrame(reader, frame)
    }),
  )
}

/** A frame is written as text once, however many read it. */
const texts = new WeakMap<Frame, string>()

function sendFrame(reader: Reader, frame: Frame): void {
  const text = texts.get(frame) ?? JSON.stringify(frame)
  texts.set(frame, text)
  reader.send({ id: frame.number, event: 'frame', data: text })
}
