/** A thread that writes into a memory as fast as it can until it is told to end, or so many records. */
import { parentPort, workerData } from 'node:worker_threads'
import { RingSink } from '../../src/telemetry/chronicle.js'
import { EventWriter, Sequence } from '../../src/telemetry/event-ring.js'
import { RowRing } from '../../src/telemetry/row-ring.js'
import { ToldMemory } from '../../src/telemetry/told-memory.js'
import { type Numbered, numberedOf, recordOf } from './records.js'

export interface WriterData {
  readonly what: 'records' | 'rows' | 'stampedRows' | 'happenings' | 'texts'
  readonly memory: SharedArrayBuffer
  readonly sequence: SharedArrayBuffer
  /** The first number is 1 once the writer is to end. */
  readonly end: SharedArrayBuffer
  readonly most: number
}

const { what, memory, sequence, end, most } = workerData as WriterData
const ends = new Int32Array(end)
const writer = writerOf()
let written = 0
for (; written < most && Atomics.load(ends, 0) === 0; written++) writer()
parentPort?.postMessage(written)

function writerOf(): () => void {
  const numbers = new Sequence(sequence)
  if (what === 'rows') {
    const ring = new RowRing(memory)
    let n = 0
    return () => {
      n++
      ring.put(n, n, n, n, n)
      if (n % 7 === 0) ring.show()
    }
  }
  if (what === 'stampedRows') {
    const ring = new RowRing(memory)
    let n = 0
    return () => {
      n++
      ring.put(n, n, n, n, Number.NaN)
      if (n % 5 === 0) ring.stamp(n)
    }
  }
  if (what === 'happenings') {
    const sink = new RingSink(memory, numbers, () => undefined)
    return () => sink.tell({ type: 'killed' }, 0, undefined)
  }
  if (what === 'texts') {
    const told = new ToldMemory<Numbered>(memory)
    let n = 0
    return () => told.tell(numberedOf(++n))
  }
  const ring = new EventWriter(memory, numbers)
  return () => void ring.write(recordOf)
}
