import { beforeEach, describe, expect, test } from 'vitest'
import { showMoment, stepFrames, stepMoments } from '../../src/page/scroll-back.js'
import { cursor, frames, shownFrame } from '../../src/page/store.js'
import { madeFrame } from './made-frames.js'

/** Frames of which some were thinned out. */
const made = [
  [2, 1000],
  [5, 2000],
  [6, 2100],
  [9, 3000],
] as const

describe('scrolling back', () => {
  beforeEach(() => {
    frames.value = made.map(([number, atMs]) => madeFrame(number, atMs))
    cursor.value = 'live'
  })

  test.each([
    [0, 2],
    [1000, 2],
    [1999, 2],
    [2000, 5],
    [2150, 6],
  ])('to %i ms shows frame %i', (atMs, number) => {
    showMoment(atMs)
    expect(cursor.value).toBe(number)
  })

  test('to the last frame is to be live again', () => {
    cursor.value = 5
    showMoment(3000)
    expect(cursor.value).toBe('live')
  })

  test('goes from frame to frame, and not beyond the first', () => {
    const shown = [-1, -1, -1, -1, 2].map((by) => {
      stepFrames(by)
      return shownFrame.value?.number
    })
    expect(shown).toEqual([6, 5, 2, 2, 6])
  })

  test('goes to the frames after the moments, each once, and live after the last one', () => {
    const moments = [2050, 2000, 500].map((atMs) => ({ atMs }))
    const shown = [-1, -1, -1, -1, 1, 1, 1].map((by) => {
      stepMoments(moments, by as 1 | -1)
      return cursor.value
    })
    expect(shown).toEqual([6, 5, 2, 2, 5, 6, 'live'])
  })

  test('without any frame does nothing', () => {
    frames.value = []
    showMoment(5)
    stepFrames(-1)
    stepMoments([{ atMs: 5 }], -1)
    expect(cursor.value).toBe('live')
  })
})
