/** Numbers with a unit: how they are written, and within which bounds. */
import { sizeMax, sizeMin } from '../load/index.js'

export interface Scale {
  /** The size of each unit, in the unit of the value. The first one is offered first. */
  readonly units: Readonly<Record<string, number>>
  /** Whether the number is written with `+` or `-` before it. */
  readonly isSigned: boolean
  readonly least: number
  readonly most: number
  /** The bounds, as they are told of a value that lies out of them. */
  readonly bounds: string
  /** Whether the value is a whole number. */
  readonly isWhole: boolean
  readonly example: string
}

const hourMs = 3_600_000
const times = { ms: 1, s: 1000, min: 60_000, h: hourMs }
/** Decimal, as networks count, and binary, as memory does. */
const sizes = { kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, B: 1 }
const rates = Object.fromEntries(Object.entries(sizes).map(([unit, size]) => [`${unit}/s`, size]))

/** In milliseconds. */
export const duration: Scale = {
  ...{ units: times, isSigned: false, isWhole: false },
  ...{ least: 0, most: hourMs, bounds: 'at most 1h', example: '80ms' },
}

/** In milliseconds, ahead or behind. */
export const offset: Scale = {
  ...duration,
  isSigned: true,
  least: -hourMs,
  bounds: 'from -1h to +1h',
  example: '+50ms',
}

/** From 0 to 1. */
export const share: Scale = {
  ...{ units: { '%': 0.01 }, isSigned: false, isWhole: false },
  ...{ least: 0, most: 1, bounds: 'at most 100%', example: '10%' },
}

/** A part of the speed of a clock, too fast or too slow. A clock never stands still or runs back. */
export const signedShare: Scale = {
  ...share,
  isSigned: true,
  least: -0.99,
  bounds: 'from -99% to +100%',
  example: '+10%',
}

export const bytes: Scale = {
  ...{ units: sizes, isSigned: false, isWhole: true },
  ...{ least: 0, most: 2 ** 44, bounds: 'whole bytes, at most 16384GiB', example: '1MB' },
}

/** Of a put, in bytes. */
export const putSize: Scale = {
  ...bytes,
  ...{
    least: sizeMin,
    most: sizeMax,
    bounds: `whole bytes, from ${sizeMin}B to ${sizeMax / 2 ** 10}KiB`,
    example: '128B',
  },
}

/** In calls a second. */
export const callRate: Scale = {
  ...{ units: { '/s': 1 }, isSigned: false, isWhole: true },
  ...{ least: 1, most: 1e6, bounds: 'whole calls, from 1/s to 1000000/s', example: '1000/s' },
}

/** In bytes a second. */
export const rate: Scale = {
  ...bytes,
  units: rates,
  least: 1,
  bounds: 'from 1B/s to 16384GiB/s',
  example: '1MB/s',
}

const written = /^([+-]?)(\d{1,15}(?:\.\d{1,15})?)([^\d.].*)$/

/** The value of a word such as `80ms`, or `undefined` for a word that is none or lies out of the bounds. */
export function scaled(scale: Scale, word: string): number | undefined {
  const value = magnitudeOf(scale, word)
  return value !== undefined && isWithin(scale, value) ? value : undefined
}

/** The bytes of a word such as `64KiB`, or `undefined` for a word that is none or lies out of the bounds. */
export function bytesIn(word: string): number | undefined {
  return scaled(bytes, word)
}

/** The bounds, for a word that lies out of them. */
export function brokenBound(scale: Scale, word: string): string | undefined {
  const value = magnitudeOf(scale, word)
  return value === undefined || isWithin(scale, value) ? undefined : scale.bounds
}

function isWithin({ least, most, isWhole }: Scale, value: number): boolean {
  return value >= least && value <= most && (!isWhole || Number.isInteger(value))
}

function magnitudeOf({ units, isSigned }: Scale, word: string): number | undefined {
  const [, sign = '', digits = '', unit = ''] = written.exec(word) ?? []
  const size = Object.hasOwn(units, unit) ? units[unit] : undefined
  if (size === undefined || (sign !== '') !== isSigned) return undefined
  // Fifteen digits are what a double holds: 7 * 0.01 is a little more than 0.07.
  const magnitude = Number((Number(digits) * size).toPrecision(15))
  return sign === '-' && magnitude !== 0 ? -magnitude : magnitude
}

/** The words that Tab offers: the number with each unit that keeps it within the bounds; with nothing typed, an example. */
export function unitsFor(scale: Scale, typed: string): readonly string[] {
  const [number = ''] = /^[+-]?[\d.]*/.exec(typed) ?? []
  if (!/\d/.test(number)) return [scale.example]
  const words = Object.keys(scale.units).map((unit) => `${number}${unit}`)
  return words.filter((word) => scaled(scale, word) !== undefined)
}
