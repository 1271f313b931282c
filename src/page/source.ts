/** Feeds the store from a cluster that runs: its frames, and what happens in it. */
import type { Frame, FrameHead } from '../observer/index.js'
import type { Happened } from '../telemetry/index.js'
import { openStream, type StreamReader } from './api.js'
import type { StreamEvent } from './event-lines.js'
import {
  beginAnew,
  connection,
  forgetEvents,
  type Subject,
  takeEvents,
  takeFrames,
  takeHead,
  takeMissed,
} from './store.js'

type AtEnd = Pick<StreamReader, 'onEnd'>

/** Ends what feeds the store now. */
let end = () => {}

/** Feeds the store with nothing more. */
export function unfollow(): void {
  end()
  end = () => {}
}

/** Shows the sandbox's own cluster. */
export function followCluster(): void {
  follow('cluster', '/api/frames?history=1', '/api/events')
}

/** Shows what these streams tell, and no longer what was shown before. A stream without events leaves them to the caller. */
export function follow(subject: Subject, framesPath: string, eventsPath?: string): void {
  unfollow()
  beginAnew(subject)
  let closeEvents = () => {}
  // A scenario comes to its end; the sandbox is asked for again and again.
  const atEnd = subject === 'scenario' ? { onEnd: () => {} } : {}
  const restartEvents = () => {
    closeEvents()
    if (eventsPath === undefined) return
    forgetEvents()
    closeEvents = followEvents(eventsPath, atEnd)
  }
  const closeFrames = followFrames(framesPath, restartEvents, atEnd)
  end = () => {
    closeFrames()
    closeEvents()
  }
}

/** `onRun`: another run has begun. The server tells the head each time that the connection is made. */
function followFrames(path: string, onRun: () => void, atEnd: AtEnd): () => void {
  return openStream(path, {
    ...atEnd,
    onEvents(events) {
      let frames: Frame[] = []
      for (const event of events) {
        if (event.name === 'frame') frames.push(JSON.parse(event.data) as Frame)
        if (event.name !== 'head') continue
        frames = []
        if (takeHead(JSON.parse(event.data) as FrameHead)) onRun()
        connection.value = { state: 'live' }
      }
      if (frames.length > 0) takeFrames(frames)
    },
    onLost(why) {
      connection.value = { state: 'lost', why }
    },
  })
}

/** From the first event that is still kept on. */
function followEvents(path: string, atEnd: AtEnd): () => void {
  return openStream(path, {
    ...atEnd,
    lastId: '0',
    onEvents(events) {
      takeEvents(events.filter(({ name }) => name === 'message').map(happenedOf))
      for (const event of events) if (event.name === 'missed') takeMissed(missedIn(event))
    },
  })
}

function happenedOf({ data }: StreamEvent): Happened {
  return JSON.parse(data) as Happened
}

function missedIn({ data }: StreamEvent): number {
  return (JSON.parse(data) as { readonly count: number }).count
}
