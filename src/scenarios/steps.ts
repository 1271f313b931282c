/** The steps of a scenario: verbs as they are typed at the prompt, and what a script needs between them. */
import { BadInput } from '../terminal/index.js'
import { lengthMsOf, lengthUsage } from './lengths.js'
import type { ScenarioTiming, Step } from './scenario.js'
import { checkLine, isFixedWord } from './verb-lines.js'
import { conditionOf, type Expectation, expectationOf, type Understood } from './words.js'
import { listed, Mistake, textOf, type Written } from './yaml.js'

/** Facts that are known where a line stands. */
export interface Around {
  /** Ids that are given by then: those of the first nodes, and of nodes that steps have added. */
  nodes: number
  readonly timing: ScenarioTiming
  /** Names that steps have given to nodes so far. */
  readonly names: string[]
}

const stepKeys = ['until', 'for', 'let', 'load', 'nemesis', 'expect']
export const clientsMax = 4096

export function stepsOf(items: readonly Written[], around: Around): Step[] {
  return items.map((item) =>
    item.type === 'text' ? verbStep(item.line, textOf(item), around) : keyStep(item, around),
  )
}

function verbStep(line: number, text: string, around: Around): Step {
  const [verb, ...clients] = text.split(/\s+/)
  if (verb === 'load') return loadStep(line, text, clients.join(' '))
  try {
    checkLine(text, around.nodes, around.names)
  } catch (error) {
    if (error instanceof BadInput) throw new Mistake(line, error.message)
    throw error
  }
  if (verb === 'add' || verb === 'replace') around.nodes++
  return { line, text, type: 'verb' }
}

function keyStep(item: Written, around: Around): Step {
  const what = `a step is a verb as at the prompt ('kill leader'), or one of ${listed(stepKeys.map((key) => `'${key}:'`))}`
  if (item.type !== 'map') throw new Mistake(item.line, what)
  const [first, ...more] = item.entries
  if (first === undefined || !stepKeys.includes(first.key)) throw new Mistake(item.line, what)
  const { line, key, value } = first
  const [extra] = more
  if (extra !== undefined && !(key === 'until' && extra.key === 'within' && more.length === 1))
    throw new Mistake(extra.line, `'${extra.key}' is no part of a step '${key}:'`)
  const given = textOf(value)
  const text = `${key} ${given}`
  switch (key) {
    case 'for':
    case 'nemesis':
      return { line, text, type: key, ms: lengthAt(value, around) }
    case 'until': {
      const condition = meantAt(value, around, conditionOf(given, around.timing))
      const withinMs = extra === undefined ? usualLimitMs(around) : lengthAt(extra.value, around)
      return { line, text, type: 'until', condition, withinMs }
    }
    case 'let':
      return letStep(line, text, given, around)
    case 'load':
      return loadStep(line, text, given)
    default:
      return { line, text, type: 'expect', expectation: expectationAt(value, around) }
  }
}

/** A machine that is busy is slow, and a scenario must end all the same. */
function usualLimitMs({ timing }: Around): number {
  return Math.max(20_000, 40 * timing.electionTimeoutMs)
}

function letStep(line: number, text: string, given: string, around: Around): Step {
  const [, name, target] = /^([a-z]+) = (\S+)$/.exec(given) ?? []
  if (name === undefined || target === undefined)
    throw new Mistake(line, `a name is given as in 'let: old = leader', not '${given}'`)
  if (isFixedWord(name)) throw new Mistake(line, `'${name}' has a meaning already; choose another name`)
  checkNode(line, target, around, ['leader', 'follower', 'any'])
  if (!around.names.includes(name)) around.names.push(name)
  return { line, text, type: 'let', name, target }
}

function loadStep(line: number, text: string, given: string): Step {
  const clients = given === 'off' ? 0 : /^\d+$/.test(given) ? Number(given) : Number.NaN
  if (!(clients <= clientsMax))
    throw new Mistake(line, `load: give clients, up to ${clientsMax}, or 'off', not '${given}'`)
  return { line, text, type: 'load', clients }
}

function lengthAt(written: Written, { timing }: Around): number {
  const ms = lengthMsOf(textOf(written), timing)
  if (ms !== undefined && ms <= 3_600_000) return ms
  throw new Mistake(written.line, `give ${lengthUsage}, up to an hour, not '${textOf(written)}'`)
}

export function expectationAt(written: Written, around: Around): Expectation {
  return meantAt(written, around, expectationOf(textOf(written), written.line, around.timing))
}

function meantAt<T>(written: Written, around: Around, understood: Understood<T>): T {
  if ('expected' in understood)
    throw new Mistake(
      written.line,
      `'${textOf(written)}' is not understood; here could stand ${understood.expected}`,
    )
  for (const node of understood.nodes) checkNode(written.line, node, around, ['leader'])
  return understood.meant
}

/** A word that means one node: an id, a role or a name. */
function checkNode(line: number, word: string, { nodes, names }: Around, roles: readonly string[]): void {
  if (roles.includes(word) || names.includes(word)) return
  if (/^\d+$/.test(word) && Number(word) >= 1 && Number(word) <= nodes) return
  const known = listed([`a node from 1 to ${nodes}`, ...roles, ...names])
  throw new Mistake(line, `'${word}' is no node; here could stand ${known}`)
}
