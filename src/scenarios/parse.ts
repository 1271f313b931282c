/** From the text of a file to a scenario, or to one line that names the line of the mistake and what could stand there. */
import { BadInput } from '../terminal/index.js'
import { bytesIn } from '../verbs/index.js'
import { type HostName, hostNames } from './host.js'
import { lengthMsOf } from './lengths.js'
import type { LoadShape, Scenario, ScenarioTiming } from './scenario.js'
import { type Around, clientsMax, expectationAt, stepsOf } from './steps.js'
import type { Expectation } from './words.js'
import { listed, Mistake, readYaml, textOf, type Written } from './yaml.js'

const keys = ['name', 'teaches', 'hosts', 'nodes', 'timing', 'log', 'load', 'steps', 'expect']
const timingKeys = ['heartbeat', 'election timeout', 'call timeout']
const loadKeys = ['clients', 'size', 'rate']

const nodesMax = 25
const sizeMax = 256 << 10
const rateMax = 100_000

/** `source` is the file, as the message of a mistake names it. */
export function parseScenario(text: string, source: string): Scenario {
  try {
    return scenarioOf(readYaml(text))
  } catch (error) {
    if (error instanceof Mistake) throw new BadInput(`${source}:${error.line}: ${error.message}`)
    throw error
  }
}

function scenarioOf(file: Written): Scenario {
  const parts = partsOf(file, keys, 'a scenario')
  const nodes = wholeOf(parts.get('nodes'), 3, 1, nodesMax)
  const timing = timingOf(parts.get('timing'))
  const steps = required(parts, 'steps', file)
  const around: Around = { nodes, timing, names: [] }
  const read = stepsOf(listOf(steps, 'steps'), around)
  return {
    name: textOf(required(parts, 'name', file)),
    teaches: textOf(required(parts, 'teaches', file)).replaceAll(/\s+/g, ' '),
    hosts: hostsOf(parts.get('hosts')),
    nodes,
    timing,
    logBytesMax: parts.has('log') ? bytesOf(parts.get('log'), 4096, 2 ** 30) : undefined,
    load: loadOf(parts.get('load')),
    steps: read,
    expectations: expectationsOf(parts.get('expect'), around),
  }
}

/** The values of a map by key. Throws where a key is none of those known. */
function partsOf(written: Written, known: readonly string[], what: string): Map<string, Written> {
  if (written.type !== 'map') throw new Mistake(written.line, `${what} has the keys ${listed(known)}`)
  const parts = new Map<string, Written>()
  for (const { line, key, value } of written.entries) {
    if (!known.includes(key))
      throw new Mistake(line, `'${key}' is no key of ${what}; its keys are ${listed(known)}`)
    parts.set(key, value)
  }
  return parts
}

function required(parts: ReadonlyMap<string, Written>, key: string, file: Written): Written {
  const part = parts.get(key)
  if (part === undefined) throw new Mistake(file.line, `a scenario has a key '${key}', and it is missing`)
  return part
}

function listOf(written: Written, what: string): readonly Written[] {
  if (written.type === 'list' && written.items.length > 0) return written.items
  throw new Mistake(written.line, `${what}: give a list, each line of which begins with '- '`)
}

function wholeOf(written: Written | undefined, usual: number, least: number, most: number): number {
  if (written === undefined) return usual
  const text = textOf(written)
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new Mistake(written.line, `give a whole number from ${least} to ${most}, not '${text}'`)
}

function bytesOf(written: Written | undefined, least: number, most: number, usual = least): number {
  if (written === undefined) return usual
  const text = textOf(written)
  const value = /^\d+$/.test(text) ? Number(text) : (bytesIn(text.replace(' ', '')) ?? Number.NaN)
  if (value >= least && value <= most) return value
  throw new Mistake(written.line, `give bytes as in '64 KiB', from ${least} to ${most}, not '${text}'`)
}

function hostsOf(written: Written | undefined): readonly HostName[] {
  if (written === undefined) return hostNames
  return listOf(written, 'hosts').map((item) => {
    const host = hostNames.find((name) => name === textOf(item))
    if (host === undefined)
      throw new Mistake(item.line, `a host is ${listed(hostNames)}, not '${textOf(item)}'`)
    return host
  })
}

function timingOf(written: Written | undefined): ScenarioTiming {
  const timing = { heartbeatIntervalMs: 50, electionTimeoutMs: 500, callTimeoutMs: 1000 }
  if (written === undefined) return timing
  const parts = partsOf(written, timingKeys, 'timing')
  const lengthOf = (key: string, usualMs: number, leastMs: number, mostSeconds = 60): number => {
    const part = parts.get(key)
    if (part === undefined) return usualMs
    const ms = lengthMsOf(textOf(part), timing)
    if (ms !== undefined && Number.isInteger(ms) && ms >= leastMs && ms <= 1000 * mostSeconds) return ms
    throw new Mistake(
      part.line,
      `${key}: give a time from ${leastMs} ms to ${mostSeconds} s, not '${textOf(part)}'`,
    )
  }
  // In this order: each length may be given in those before it.
  timing.heartbeatIntervalMs = lengthOf('heartbeat', timing.heartbeatIntervalMs, 2, 10)
  const { heartbeatIntervalMs } = timing
  timing.electionTimeoutMs = lengthOf('election timeout', 10 * heartbeatIntervalMs, 3 * heartbeatIntervalMs)
  timing.callTimeoutMs = lengthOf('call timeout', timing.callTimeoutMs, 1)
  return timing
}

function loadOf(written: Written | undefined): LoadShape {
  const parts = written === undefined ? new Map<string, Written>() : partsOf(written, loadKeys, 'load')
  return {
    clients: wholeOf(parts.get('clients'), 4, 1, clientsMax),
    size: bytesOf(parts.get('size'), 1, sizeMax, 64),
    rate: rateOf(parts.get('rate')),
  }
}

function rateOf(written: Written | undefined): number {
  if (written === undefined) return 100
  const value = Number(/^(\d+) ?\/ ?s$/.exec(textOf(written))?.[1])
  if (value >= 1 && value <= rateMax) return value
  throw new Mistake(
    written.line,
    `rate: give calls a second as in '200/s', up to ${rateMax}, not '${textOf(written)}'`,
  )
}

function expectationsOf(written: Written | undefined, around: Around): Expectation[] {
  if (written === undefined) return []
  return listOf(written, 'expect').map((item) => expectationAt(item, around))
}
