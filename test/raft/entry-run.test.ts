import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  commandHeaderBytes,
  emptyRun,
  entryKinds,
  FrameBuilder,
  isWellFormed,
  lastIndexOf,
  packCommands,
  readRun,
  runHeaderBytes,
  sliceRun,
  stampRun,
} from '../../src/raft/index.js'
import { commandsOf, frameOf, runOf } from '../../src/testing/index.js'

const commandsArbitrary = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 20 })
const bytesOf = (run: Parameters<typeof commandsOf>[0]) => commandsOf(run)

describe('frames', () => {
  test('[EN2] the layout: a header of 32 bytes, then each command behind its length, little-endian', () => {
    const run = stampRun(frameOf('ab', ''), 7, 3, entryKinds.commands)
    const view = new DataView(run.bytes.buffer)
    expect([
      view.getFloat64(8, true),
      view.getFloat64(16, true),
      view.getUint32(24, true),
      view.getUint32(28, true),
    ]).toEqual([7, 3, 2, 1])
    expect([...run.bytes.subarray(32)]).toEqual([2, 0, 0, 0, 97, 98, 0, 0, 0, 0])
    expect([...run.bytes.subarray(0, 8)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
  })

  test('[EN2] what is packed is read back', () => {
    fc.assert(
      fc.property(
        commandsArbitrary,
        fc.integer({ min: 1, max: 2 ** 40 }),
        fc.integer({ min: 1 }),
        (commands, index, term) => {
          const run = stampRun(packCommands(commands), index, term, entryKinds.commands)
          expect(readRun(run.bytes)).toEqual(run)
          expect(lastIndexOf(run)).toBe(index + commands.length - 1)
          const decoder = new TextDecoder()
          expect(bytesOf(run)).toEqual(commands.map((command) => decoder.decode(command)))
        },
      ),
      { seed: 11, numRuns: 100 },
    )
  })

  test('[EN2] a builder is used again and again, and hands out a buffer of its own each time', () => {
    const builder = new FrameBuilder()
    const big = new Uint8Array(10_000).fill(7)
    builder.append(big)
    expect(builder.byteLength).toBe(runHeaderBytes + commandHeaderBytes + 10_000)
    const first = builder.take()
    expect([builder.count, builder.byteLength]).toEqual([0, runHeaderBytes])
    const start = builder.reserve(3)
    builder.bytes.set([1, 2, 3], start)
    builder.append(new Uint8Array(0))
    const second = builder.take()
    expect(second.count).toBe(2)
    expect(second.bytes.byteLength).toBe(second.bytes.buffer.byteLength)
    expect(second).toEqual(packCommands([Uint8Array.of(1, 2, 3), new Uint8Array(0)]))
    expect(isWellFormed(first)).toBe(true)
    expect(first.bytes.subarray(36)).toEqual(big)
  })

  test('[EN2] a builder grows in the middle of a frame and keeps what it holds', () => {
    const commands = Array.from({ length: 300 }, (_, at) => new Uint8Array(at * 3).fill(at))
    expect(isWellFormed(packCommands(commands))).toBe(true)
    const run = stampRun(packCommands(commands), 1, 1, entryKinds.commands)
    expect(sliceRun(run, 300, 300).bytes.subarray(36)).toEqual(commands[299])
  })

  test('[EN2] the entry that opens a term is one command of no bytes, of its own kind', () => {
    expect(emptyRun(4, 2)).toMatchObject({ index: 4, term: 2, count: 1, kind: entryKinds.empty })
    expect(readRun(emptyRun(4, 2).bytes)).toEqual(emptyRun(4, 2))
  })
})

describe('parts of a run', () => {
  test('[EN3] a slice is a run of its own with the same commands, and the whole is the run itself', () => {
    fc.assert(
      fc.property(commandsArbitrary, fc.nat(), fc.nat(), (commands, one, other) => {
        const run = stampRun(packCommands(commands), 5, 2, entryKinds.commands)
        const [low = 0, high = 0] = [one % commands.length, other % commands.length].sort((a, b) => a - b)
        const slice = sliceRun(run, 5 + low, 5 + high)
        expect(slice).toMatchObject({
          index: 5 + low,
          term: 2,
          count: high - low + 1,
          kind: entryKinds.commands,
        })
        expect(bytesOf(slice)).toEqual(bytesOf(run).slice(low, high + 1))
        expect(readRun(slice.bytes)).toEqual(slice)
        const isWhole = low === 0 && high === commands.length - 1
        expect(slice === run).toBe(isWhole)
        expect(slice.bytes.buffer === run.bytes.buffer).toBe(isWhole)
      }),
      { seed: 12, numRuns: 200 },
    )
  })

  test('[EN3] a slice beyond the run is our own bug', () => {
    const run = runOf({ index: 5, term: 1 }, 'a', 'b')
    for (const [from, to] of [
      [4, 5],
      [5, 7],
      [6, 5],
    ] as const)
      expect(() => sliceRun(run, from, to)).toThrow('within its run')
  })
})

describe('damaged bytes', () => {
  test('[EN4] garbage is no run, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const run = readRun(bytes)
        if (run !== undefined) expect(isWellFormed(run)).toBe(true)
      }),
      { seed: 13, numRuns: 500 },
    )
    expect(readRun(new Uint8Array(0))).toBe(undefined)
    expect(readRun(new Uint8Array(64))).toBe(undefined)
  })

  test('[EN4] a run that is cut short or has bytes to spare is no run', () => {
    const { bytes } = runOf({ index: 1, term: 1 }, 'abc', 'de')
    for (let length = 0; length < bytes.byteLength; length++)
      expect(readRun(bytes.slice(0, length))).toBe(undefined)
    expect(readRun(Uint8Array.from([...bytes, 0]))).toBe(undefined)
    expect(readRun(bytes)).toBeDefined()
  })

  test.each<[string, (view: DataView) => void]>([
    ['no index', (view) => view.setFloat64(8, 0, true)],
    ['half an index', (view) => view.setFloat64(8, 1.5, true)],
    ['an index that is not a number', (view) => view.setFloat64(8, Number.NaN, true)],
    ['an index beyond what is exact', (view) => view.setFloat64(8, 2 ** 53, true)],
    ['no term', (view) => view.setFloat64(16, 0, true)],
    ['a negative term', (view) => view.setFloat64(16, -1, true)],
    ['no entries', (view) => view.setUint32(24, 0, true)],
    ['more entries than bytes', (view) => view.setUint32(24, 0xffffffff, true)],
    ['an unknown kind', (view) => view.setUint32(28, 9, true)],
    ['a length beyond the end', (view) => view.setUint32(32, 0xffffffff, true)],
  ])('[EN4] a header with %s is refused', (_, damage) => {
    const { bytes } = runOf({ index: 1, term: 1 }, 'abc')
    expect(readRun(bytes)).toBeDefined()
    damage(new DataView(bytes.buffer))
    expect(readRun(bytes)).toBe(undefined)
  })

  test('[EN4] a run may lie anywhere inside a larger buffer', () => {
    const { bytes } = runOf({ index: 9, term: 4 }, 'abc', 'd')
    const larger = new Uint8Array(bytes.byteLength + 20)
    larger.set(bytes, 7)
    const run = readRun(larger.subarray(7, 7 + bytes.byteLength))
    expect(run).toMatchObject({ index: 9, term: 4, count: 2 })
    expect(run && commandsOf(run)).toEqual(['abc', 'd'])
  })
})
