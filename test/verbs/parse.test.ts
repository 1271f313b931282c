/** Lines and the commands that they stand for. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkFault, type Fault, lineOf, resolveWays } from '../../src/faults/index.js'
import { BadInput } from '../../src/terminal/index.js'
import { parse, perform } from '../../src/verbs/index.js'
import { cast, fiveNodes, healthy, RecordedSubject } from './recorded-subject.js'

test.each([
  ['status', { verb: 'status' }],
  ['put a  one  two ', { verb: 'put', key: 'a', value: ' one  two ' }],
  ['\t get   a ', { verb: 'get', key: 'a' }],
  ['get a from 2', { verb: 'get', key: 'a', from: 2 }],
  ['get a stale from any', { verb: 'get', key: 'a', stale: 'stale', from: 'any' }],
  ['get stale from leader stale', { verb: 'get', key: 'stale', from: 'leader', stale: 'stale' }],
  ['range a stale', { verb: 'range', prefix: 'a', stale: 'stale' }],
  ['range stale', { verb: 'range', stale: 'stale' }],
  ['range from 2', { verb: 'range', from: 2 }],
  ['cut 1->3', { verb: 'cut', link: { one: 1, other: 3, oneWay: true } }],
  [
    'delay leader-* 1.5s for 1min heartbeat jitter 20ms',
    {
      verb: 'delay',
      link: { one: 'leader', other: '*', oneWay: false },
      ...{ delayMs: 1500, jitterMs: 20, messages: 'heartbeat', forMs: 60_000 },
    },
  ],
  [
    'drop 1->3 7% appendEntries',
    {
      verb: 'drop',
      link: { one: 1, other: 3, oneWay: true },
      share: 0.07,
      messages: 'appendEntries',
    },
  ],
  [
    'throttle clients-leader 1MB/s',
    {
      verb: 'throttle',
      link: { one: 'clients', other: 'leader', oneWay: false },
      bytesPerSecond: 1e6,
    },
  ],
  [
    'partition 1,2|3,4,5',
    {
      verb: 'partition',
      groups: [
        [1, 2],
        [3, 4, 5],
      ],
    },
  ],
  ['full-disk 2', { verb: 'full-disk', target: 2 }],
  ['full-disk 2 64KiB for 2s', { verb: 'full-disk', target: 2, bytesLeft: 65_536, forMs: 2000 }],
  ['skew minority -2s +3%', { verb: 'skew', target: 'minority', clock: { offsetMs: -2000 }, drift: 0.03 }],
  ['heal', { verb: 'heal' }],
  ['log 1 4,661 1,204,661', { verb: 'log', target: 1, from: 4661, to: 1_204_661 }],
  ['explain index 4,661', { verb: 'explain', topic: 'index', count: 4661 }],
  ['heal 1-2', { verb: 'heal', healed: { link: { one: 1, other: 2, oneWay: false } } }],
  ['heal 1', { verb: 'heal', healed: { target: 1 } }],
  ['heal #1', { verb: 'heal', healed: { faultId: 1 } }],
  ['explain', { verb: 'explain' }],
  ['explain index 42', { verb: 'explain', topic: 'index', count: 42 }],
  ['load off', { verb: 'load', clients: 'off' }],
  ['load 8 rate 500/s size 1kB', { verb: 'load', clients: 8, size: 1000, rate: 500 }],
  [' \t', undefined],
])('%s', (line, command) => {
  expect(parse(line)).toEqual(command)
})

test.each([
  ['delay 1->3 fast', "delay 1->3 fast: after 'delay 1->3' a duration such as 80ms is expected, not 'fast'"],
  ['delay  1->3', "delay  1->3: after 'delay  1->3' a duration such as 80ms is expected"],
  ['cut 13', "cut 13: after 'cut' a link such as 1->3 (one way) or 1-3 (both ways) is expected, not '13'"],
  ['cut 1->3 for', "cut 1->3 for: after 'cut 1->3 for' a duration such as 80ms is expected"],
  [
    'cut 1->3 80ms',
    "cut 1->3 80ms: after 'cut 1->3' a kind of message such as heartbeat, or for and a duration such as 80ms is expected, not '80ms'",
  ],
  [
    'cut 1->3 for 1s for 2s',
    /after 'cut 1->3 for 1s' a kind of message such as heartbeat is expected, not 'for'$/,
  ],
  ['drop 1->3 101%', /a share such as 10% is expected, not '101%' \(at most 100%\)$/],
  ['drop 1->3 10', /a share such as 10% is expected, not '10'$/],
  ['pause leader for 2h', /a duration such as 80ms is expected, not '2h' \(at most 1h\)$/],
  ['throttle 1-2 0B/s', /not '0B\/s' \(from 1B\/s to 16384GiB\/s\)$/],
  [
    'full-disk 1 0.5B',
    /or for and a duration such as 80ms is expected, not '0.5B' \(whole bytes, at most 16384GiB\)$/,
  ],
  ['skew 1 50ms', /an offset such as \+50ms or a drift such as \+10% is expected, not '50ms'$/],
  ['skew 1 -100%', /not '-100%' \(from -99% to \+100%\)$/],
  ['kill boss', /^kill boss: after 'kill' a target \(.*leader, followers, .*\) is expected, not 'boss'$/],
  [
    'partition 1,2',
    "partition 1,2: after 'partition' groups of nodes such as 1,2|3,4,5 is expected, not '1,2'",
  ],
  [
    'get a b',
    "get a b: after 'get a' stale, or from and the id of a node, leader or any is expected, not 'b'",
  ],
  ['put a', "put a: after 'put a' a value is expected"],
  ['load 8 size 1B', /whole bytes, from 11B to 256KiB/],
  ['load 8 rate 1.5/s', /whole calls, from 1\/s to 1000000\/s/],
  ['load 0', /how many clients, from 1 to 10000, or off is expected, not '0'$/],
  ['pot a 1', "there is no verb 'pot' (did you mean put?); help lists all"],
  ['cut 1-2 hartbeat', "not 'hartbeat' (did you mean heartbeat?)"],
  ['events onn', "not 'onn' (did you mean on?)"],
  ['exit', "there is no verb 'exit' (did you mean quit?); help lists all"],
  ['?', "there is no verb '?' (did you mean help?); help lists all"],
  ['log 1 46,61', "not '46,61'"],
  ['hael', "there is no verb 'hael' (did you mean heal?); help lists all"],
  ['constructor', "there is no verb 'constructor'; help lists all"],
])('%s is refused in one line that says what could stand there', (line, message) => {
  expect(() => parse(line)).toThrow(BadInput)
  expect(() => parse(line)).toThrow(message)
})

const node = fc.constantFrom(...fiveNodes)
const nodes = fc.uniqueArray(node, { minLength: 1 }).map((all) => all.sort())
const end = fc.oneof(node, fc.constant('*' as const), fc.constant('clients' as const))
const ways = fc
  .record({ one: end, other: end, oneWay: fc.boolean() })
  .filter(({ one, other }) => one !== other || one === '*')
  .map((link) => resolveWays(link, cast))
const groups = fc
  .tuple(fc.shuffledSubarray(fiveNodes, { minLength: 2 }), fc.nat())
  .map(([all, at]) => [all.slice(0, 1 + (at % (all.length - 1))), all.slice(1 + (at % (all.length - 1)))])
const ms = fc.oneof(
  fc.nat(3_600_000),
  fc.nat(1e6).map((value) => value / 1000),
)
const share = fc.integer({ min: 1, max: 100_000 }).map((value) => value / 100_000)
const messages = fc.constantFrom({}, { messages: 'heartbeat' } as const, { messages: 'preVote' } as const)
const bytes = fc.integer({ min: 1, max: 2 ** 44 })
const onNodes = <Type extends string>(type: Type) => fc.record({ type: fc.constant(type), nodes })
const onWays = <Type extends string>(type: Type) =>
  fc
    .tuple(fc.record({ type: fc.constant(type), ways }), messages)
    .map(([fault, kind]) => ({ ...fault, ...kind }))
const and = <One, More>(one: fc.Arbitrary<One>, more: fc.Arbitrary<More>) =>
  fc.tuple(one, more).map(([fault, rest]) => ({ ...fault, ...rest }))

const faults: fc.Arbitrary<Fault> = fc
  .oneof(
    onWays('cut'),
    and(onWays('delay'), fc.record({ delayMs: ms, jitterMs: ms })),
    and(fc.oneof(onWays('drop'), onWays('duplicate'), onWays('reorder')), fc.record({ share })),
    and(onWays('throttle'), fc.record({ bytesPerSecond: bytes })),
    fc.record({ type: fc.constant('partition' as const), groups }),
    fc.oneof(
      onNodes('isolate'),
      onNodes('stallDisk'),
      onNodes('failDisk'),
      onNodes('kill'),
      onNodes('losePower'),
      onNodes('pause'),
    ),
    and(onNodes('slowDisk'), fc.record({ flushMs: ms })),
    and(onNodes('fullDisk'), fc.record({ bytesLeft: fc.oneof(fc.constant(0), bytes) })),
    and(
      onNodes('skew'),
      fc
        .tuple(ms, fc.oneof(share, fc.constant(0)), fc.constantFrom(1, -1), fc.constantFrom(1, -1))
        .filter(([offsetMs, drift]) => offsetMs + drift > 0 && drift < 0.99)
        .map(([offsetMs, drift, one, other]) => ({
          offsetMs: one * offsetMs || 0,
          drift: other * drift || 0,
        })),
    ),
  )
  .filter((fault) => !isRefused(fault))

function isRefused(fault: Fault): boolean {
  try {
    checkFault(fault, healthy)
    return false
  } catch {
    return true
  }
}

test('the line that is told of a fault is the line that begins it', async () => {
  await fc.assert(
    fc.asyncProperty(
      faults,
      fc.option(fc.integer({ min: 1, max: 3_600_000 }), { nil: undefined }),
      async (fault, forMs) => {
        // A power that is back at once is no fault that stands.
        fc.pre(fault.type !== 'losePower' || forMs !== undefined)
        const subject = new RecordedSubject()
        const line = lineOf(fault, fiveNodes, forMs)
        await perform({ subject }, parse(line)!)
        const [begun] = subject.breaker.faults
        expect(setsOf(begun?.fault), line).toEqual(setsOf(fault))

        expect(begun?.untilMs, line).toBe(forMs === undefined ? undefined : subject.now() + forMs)
      },
    ),
    { seed: 1, numRuns: 2000 },
  )
})

/** Ways are a set: their order says nothing. */
function setsOf(fault: Fault | undefined): unknown {
  return fault !== undefined && 'ways' in fault
    ? { ...fault, ways: fault.ways.map(({ from, to }) => `${from}->${to}`).sort() }
    : fault
}
