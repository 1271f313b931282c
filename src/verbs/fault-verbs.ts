/** Verbs that break a cluster, one for each fault, and those that take faults back. */
import { type FaultHandle, type StandingFault, toldOf } from '../faults/index.js'
import type { NodeId } from '../raft/index.js'
import { BadInput } from '../terminal/index.js'
import type { Slot, Suffix } from './grammar.js'
import type { Subject } from './subject.js'
import { type Answer, verb } from './verb.js'

const target = { kind: 'target', as: 'target' } as const satisfies Slot
const link = { kind: 'link', as: 'link' } as const satisfies Slot
const forTime = { word: 'for', kind: 'duration', as: 'forMs' } as const satisfies Suffix
const messages = { kind: 'message', as: 'messages' } as const satisfies Suffix

const shareVerbs = (
  [
    ['drop', 'a share of the messages is lost'],
    ['duplicate', 'a share of the messages arrives twice'],
    ['reorder', 'a share of the messages is overtaken by later ones'],
  ] as const
).map(([name, explanation]) =>
  verb(name, {
    explanation,
    slots: [link, { kind: 'share', as: 'share' }],
    suffixes: [messages, forTime],
    run: (subject, { link: { one, other, oneWay }, share, ...options }) =>
      begun(subject, subject.breaker[name](one, other, share, { ...options, oneWay })),
  }),
)

const linkVerbs = [
  verb('cut', {
    explanation: 'nothing passes',
    slots: [link],
    suffixes: [messages, forTime],
    run: (subject, { link: { one, other, oneWay }, ...options }) =>
      begun(subject, subject.breaker.cut(one, other, { ...options, oneWay })),
  }),
  verb('delay', {
    explanation: 'messages take so much longer',
    slots: [link, { kind: 'duration', as: 'delayMs' }],
    suffixes: [{ word: 'jitter', kind: 'duration', as: 'jitterMs' }, messages, forTime],
    run: (subject, { link: { one, other, oneWay }, delayMs, ...options }) =>
      begun(subject, subject.breaker.delay(one, other, delayMs, { ...options, oneWay })),
  }),
  ...shareVerbs,
  verb('throttle', {
    explanation: 'so many bytes pass in a second',
    slots: [link, { kind: 'rate', as: 'bytesPerSecond' }],
    suffixes: [messages, forTime],
    run: (subject, { link: { one, other, oneWay }, bytesPerSecond, ...options }) =>
      begun(subject, subject.breaker.throttle(one, other, bytesPerSecond, { ...options, oneWay })),
  }),
  verb('partition', {
    explanation: 'the groups do not hear each other',
    slots: [{ kind: 'groups', as: 'groups' }],
    suffixes: [forTime],
    run: (subject, { groups, ...options }) => begun(subject, subject.breaker.partition(groups, options)),
  }),
  verb('isolate', {
    explanation: 'no other node hears it, and it hears none; clients do',
    slots: [target],
    suffixes: [forTime],
    run: (subject, { target, ...options }) => begun(subject, subject.breaker.isolate(target, options)),
  }),
]

const diskVerbs = [
  verb('slow-disk', {
    explanation: 'each flush takes so much longer',
    slots: [target, { kind: 'duration', as: 'flushMs' }],
    suffixes: [forTime],
    run: (subject, { target, flushMs, ...options }) =>
      begun(subject, subject.breaker.slowDisk(target, flushMs, options)),
  }),
  verb('stall-disk', {
    explanation: 'no flush ends',
    slots: [target],
    suffixes: [forTime],
    run: (subject, { target, ...options }) => begun(subject, subject.breaker.stallDisk(target, options)),
  }),
  verb('fail-disk', {
    explanation: 'the next flush fails, and the node stops until it is healed',
    slots: [target],
    suffixes: [forTime],
    run: (subject, { target, ...options }) => begun(subject, subject.breaker.failDisk(target, options)),
  }),
  verb('full-disk', {
    explanation: 'only BYTES more fit (at first: 0), and the node stops at the write that does not',
    slots: [target, { kind: 'bytes', as: 'bytesLeft', isOptional: true }],
    suffixes: [forTime],
    run: (subject, { target, bytesLeft = 0, ...options }) =>
      begun(subject, subject.breaker.fullDisk(target, { ...options, bytesLeft })),
  }),
]

const nodeVerbs = [
  verb('kill', {
    explanation: 'ends a node at once, as a crash of its process would',
    slots: [target],
    suffixes: [forTime],
    async run(subject, { target, ...options }) {
      const nodeIds = await subject.kill(target, options)
      const fault = subject.breaker.faults.filter((standing) => isKillOf(standing, nodeIds)).at(-1)
      return {
        data: { nodeIds, fault: fault === undefined ? null : dataOf(subject, fault) },
        words: `killed ${named(nodeIds)}`,
      }
    },
  }),
  verb('stop', {
    explanation: 'ends a node; a leader hands over first',
    slots: [target],
    async run(subject, { target }) {
      const nodeIds = await subject.changer.stop(target)
      return { data: { nodeIds }, words: `stopped ${named(nodeIds)}` }
    },
  }),
  verb('restart', {
    explanation: 'starts a node that does not run, from its disk; renew: anew if it is lost',
    slots: [target],
    suffixes: [{ kind: 'renew', as: 'renew' }],
    run: (subject, { target, renew }) =>
      runningAgain(subject, () => subject.restart(target, { renew: renew !== undefined })),
  }),
  verb('pause', {
    explanation: 'freezes a node: nothing of it runs, and messages wait for it',
    slots: [target],
    suffixes: [forTime],
    run: (subject, { target, ...options }) => begun(subject, subject.breaker.pause(target, options)),
  }),
  verb('resume', {
    explanation: 'lets a paused node go on',
    slots: [target],
    run: (subject, { target }) => runningAgain(subject, () => subject.breaker.resume(target)),
  }),
  verb('power-loss', {
    explanation: 'ends a node; what was not flushed is gone, and it starts from the rest',
    slots: [target],
    suffixes: [forTime],
    async run(subject, { target, ...options }) {
      const answer = await begun(subject, subject.breaker.losePower(target, options))
      return options.forMs === undefined ? { ...answer, words: 'the power was lost, and is back' } : answer
    },
  }),
  verb('skew', {
    explanation: 'sets a clock ahead or behind, or lets it run too fast or too slow',
    usage: 'T +50ms [+10%]|+10% [for DURATION]',
    slots: [target, { kind: 'clock', as: 'clock' }, { kind: 'drift', as: 'drift', isOptional: true }],
    suffixes: [forTime],
    run(subject, { target, clock, drift, ...options }) {
      if (drift !== undefined && 'drift' in clock) throw new BadInput('skew: the drift is given twice')
      const change = drift === undefined ? clock : { ...clock, drift }
      return begun(subject, subject.breaker.skew(target, change, options))
    },
  }),
]

export const faultVerbs = [
  ...linkVerbs,
  ...diskVerbs,
  ...nodeVerbs,
  verb('heal', {
    explanation: 'takes back all faults, or those of a link or a node, or one by its number',
    slots: [{ kind: 'healed', as: 'healed', isOptional: true }],
    async run(subject, { healed = { all: true } as const }) {
      const faults = await subject.breaker.heal(healed)
      const lines = faults.map((fault) => `healed #${fault.id} ${toldOf(fault, subject.nodeIds).line}`)
      return {
        data: { healed: faults.map((fault) => dataOf(subject, fault)) },
        words: lines.length === 0 ? 'no such fault stands' : lines.join('\n'),
      }
    },
  }),
  verb('faults', {
    explanation: 'the faults that stand, each with its number',
    run(subject) {
      const { faults } = subject.breaker
      return {
        data: { faults: faults.map((fault) => dataOf(subject, fault)) },
        words: faults.length === 0 ? 'no fault stands' : linesOf(subject, faults).join('\n'),
      }
    },
  }),
]

/** Lines such as `#3 cut 1->3, for 4.2 s, heals in 5.8 s`, one for each fault. */
export function linesOf(subject: Subject, faults: readonly StandingFault[]): string[] {
  return faults.map((fault) => {
    const { id, sinceMs, untilMs } = fault
    const { line } = toldOf({ ...fault, untilMs: undefined }, subject.nodeIds)
    const nowMs = subject.now()
    const rest = untilMs === undefined ? '' : `, heals in ${seconds(untilMs - nowMs)}`
    return `#${id} ${line}, for ${seconds(nowMs - sinceMs)}${rest}`
  })
}

/** A fault as plain data, as `faults` and `status` give it in JSON. */
export function dataOf({ nodeIds }: Subject, fault: StandingFault): Record<string, unknown> {
  const { id, type, line, nodes } = toldOf(fault, nodeIds)
  return { id, type, line, nodes, sinceMs: fault.sinceMs, untilMs: fault.untilMs ?? null }
}

async function begun(subject: Subject, begins: Promise<FaultHandle>): Promise<Answer> {
  const { id } = await begins
  const fault = subject.breaker.faults.find((standing) => standing.id === id)
  if (fault === undefined) return { data: { fault: null }, words: `#${id} is over` }
  const { line } = toldOf(fault, subject.nodeIds)
  return { data: { fault: dataOf(subject, fault) }, words: `#${id} ${line}` }
}

function isKillOf({ fault }: StandingFault, nodeIds: readonly NodeId[]): boolean {
  return fault.type === 'kill' && nodeIds.every((nodeId) => fault.nodes.includes(nodeId))
}

async function runningAgain(subject: Subject, run: () => Promise<unknown>): Promise<Answer> {
  const stood = standingStill(subject)
  await run()
  const stand = standingStill(subject)
  const nodeIds = stood.filter((nodeId) => !stand.includes(nodeId))
  const verb = nodeIds.length > 1 ? 'run' : 'runs'
  return {
    data: { nodeIds },
    words: nodeIds.length === 0 ? 'no node stood still' : `${named(nodeIds)} ${verb} again`,
  }
}

function standingStill(subject: Subject): NodeId[] {
  return subject.status().flatMap(({ nodeId, state }) => (state === 'running' ? [] : [nodeId]))
}

function named(nodeIds: readonly NodeId[]): string {
  return `${nodeIds.length === 1 ? 'node' : 'nodes'} ${nodeIds.join(', ')}`
}

function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)} s`
}
