import { expect, test } from 'vitest'
import { parseScenario } from '../../src/scenarios/index.js'
import { BadInput } from '../../src/terminal/index.js'

const whole = `name: try
teaches: >
  A leader that dies
  is replaced.
nodes: 5
timing: { heartbeat: 20ms, election timeout: 200ms, call timeout: 1s }
log: 64 KiB
load: { clients: 3, size: 1KiB, rate: 50/s }
hosts: [simulated]
steps:
  - let: old = leader
  - kill old
  - until: a new leader
    within: 10 election timeouts
  - for: 2s
  - load: 8
  - expect: elections at least 1
  - delay 1->3 80ms jitter 20ms
  - partition 1,2|3,4,5 for 10s
  - restart old
  - until: old caught up
expect:
  - unavailable at most 3 election timeouts
  - node 2 failed
`

test('a scenario is read with its lines', () => {
  const { steps, expectations, ...scenario } = parseScenario(whole, 'try.yaml')
  expect(scenario).toEqual({
    name: 'try',
    teaches: 'A leader that dies is replaced.',
    hosts: ['simulated'],
    nodes: 5,
    timing: { heartbeatIntervalMs: 20, electionTimeoutMs: 200, callTimeoutMs: 1000 },
    logBytesMax: 65_536,
    load: { clients: 3, size: 1024, rate: 50 },
  })
  expect(steps.map(({ line, type, text }) => `${line} ${type}: ${text}`)).toEqual([
    '11 let: let old = leader',
    '12 verb: kill old',
    '13 until: until a new leader',
    '15 for: for 2s',
    '16 load: load 8',
    '17 expect: expect elections at least 1',
    '18 verb: delay 1->3 80ms jitter 20ms',
    '19 verb: partition 1,2|3,4,5 for 10s',
    '20 verb: restart old',
    '21 until: until old caught up',
  ])
  expect(steps[2]).toMatchObject({ withinMs: 2000 })
  expect(expectations.map(({ line, text }) => `${line} ${text}`)).toEqual([
    '23 unavailable at most 3 election timeouts',
    '24 node 2 failed',
  ])
})

test('what is left out has its usual value', () => {
  const scenario = parseScenario('name: a\nteaches: b\nsteps:\n  - for: 1s\n', 'a.yaml')
  expect(scenario).toMatchObject({
    nodes: 3,
    hosts: ['threads', 'simulated'],
    timing: { heartbeatIntervalMs: 50, electionTimeoutMs: 500, callTimeoutMs: 1000 },
    load: { clients: 4, size: 64, rate: 100 },
    expectations: [],
  })
})

test('a length of the timing may be given in those before it', () => {
  const timing =
    'timing: { call timeout: 3 election timeouts, heartbeat: 20ms, election timeout: 12 heartbeats }'
  expect(parseScenario(whole.replace(/^timing: .*$/m, timing), 'try.yaml').timing).toEqual({
    heartbeatIntervalMs: 20,
    electionTimeoutMs: 240,
    callTimeoutMs: 720,
  })
})

/** The scenario with one line replaced, and what is told of it. */
const mistakes: readonly [line: number, instead: string, told: RegExp][] = [
  [1, 'nam: try', /^try.yaml:1: 'nam' is no key of a scenario; its keys are name, teaches, .* or expect$/],
  [1, 'name: [', /^try.yaml:\d+: the line is not YAML: /],
  [1, 'name:', /^try.yaml:1: give a text$/],
  [1, 'name: &a try', /^try.yaml:1: a scenario has no anchors and no aliases; write the value out$/],
  [5, 'nodes: 26', /^try.yaml:5: give a whole number from 1 to 25, not '26'$/],
  [5, 'name: again', /^try.yaml:5: the line is not YAML: Map keys must be unique/],
  [6, 'timing: { heart: 20ms }', /^try.yaml:6: 'heart' is no key of timing; its keys are heartbeat, /],
  [
    6,
    'timing: { heartbeat: 20ms, election timeout: 50ms }',
    /^try.yaml:6: election timeout: give a time from 60 ms to 60 s, not '50ms'$/,
  ],
  [7, 'log: much', /^try.yaml:7: give bytes as in '64 KiB', from 4096 to 1073741824, not 'much'$/],
  [
    8,
    'load: { rate: fast }',
    /^try.yaml:8: rate: give calls a second as in '200\/s', up to 100000, not 'fast'$/,
  ],
  [9, 'hosts: [moon]', /^try.yaml:9: a host is threads or simulated, not 'moon'$/],
  [6, 'timing: { heartbeat: 11s }', /^try.yaml:6: heartbeat: give a time from 2 ms to 10 s, not '11s'$/],
  [11, '  - heal #1', /^try.yaml:11: YAML takes #1 for a comment; put the step in quotes: 'heal #1'$/],
  [11, '  - let: renew = leader', /^try.yaml:11: 'renew' has a meaning already; choose another name$/],
  [11, '  - let: heartbeat = leader', /^try.yaml:11: 'heartbeat' has a meaning already/],
  [11, '  - let: leader = 2', /^try.yaml:11: 'leader' has a meaning already; choose another name$/],
  [
    11,
    '  - let: old = 6',
    /^try.yaml:11: '6' is no node; here could stand a node from 1 to 5, leader, follower or any$/,
  ],
  [12, '  - kil old', /^try.yaml:12: there is no verb 'kil' \(did you mean kill\?\)/],
  [12, '  - kill', /^try.yaml:12: kill: after 'kill' a target .* is expected/],
  [12, '  - kill 6', /^try.yaml:12: there is no node 6; give one from 1 to 5$/],
  [12, '  - kill old old', /^try.yaml:12: kill old old: after 'kill old' for and .* is expected, not 'old'$/],
  [12, '  - get a from 6', /^try.yaml:12: there is no node 6; give one from 1 to 5$/],
  [12, '  - help', /^try.yaml:12: 'help' is for the prompt of the sandbox$/],
  [
    13,
    '  - until: a new moon',
    /^try.yaml:13: 'a new moon' is not understood; here could stand 'a leader', 'a new leader', /,
  ],
  [
    13,
    '  - untill: a leader',
    /^try.yaml:13: a step is a verb as at the prompt \('kill leader'\), or one of 'until:', 'for:', /,
  ],
  [
    17,
    '  - expect: election cause is pausd',
    /^try.yaml:17: 'election cause is pausd' .*one of cut, .*pause.* or unknown$/,
  ],
  [14, '    inside: 1s', /^try.yaml:14: 'inside' is no part of a step 'until:'$/],
  [
    14,
    '    within: long',
    /^try.yaml:14: give a time as in '500ms', '2s' or '3 election timeouts', up to an hour, not 'long'$/,
  ],
  [15, '  - for: 2 days', /^try.yaml:15: give a time as in '500ms', /],
  [16, '  - load: many', /^try.yaml:16: load: give clients, up to 4096, or 'off', not 'many'$/],
  [16, '  - load 8 for 2s', /^try.yaml:16: load: give clients, up to 4096, or 'off', not '8 for 2s'$/],
  [
    18,
    '  - drop 1->3 110%',
    /^try.yaml:18: drop 1->3 110%: after 'drop 1->3' a share such as 10% is expected, not '110%'/,
  ],
  [18, '  - cut 2->2', /^try.yaml:18: link 2->2: .*two different ends/],
  [18, '  - cut old-old', /^try.yaml:18: link old-old: .*two different ends/],
  [18, '  - cut old->7', /^try.yaml:18: there is no node 7; give one from 1 to 5$/],
  [19, '  - partition 1,2|2,3', /^try.yaml:19: .*names node 2 twice/],
  [
    21,
    '  - until: young caught up',
    /^try.yaml:21: 'young' is no node; here could stand a node from 1 to 5, leader or old$/,
  ],
  [
    23,
    '  - unavailable at most 3 moons',
    /^try.yaml:23: 'unavailable at most 3 moons' is not understood; here could stand a time as in /,
  ],
  [
    24,
    '  - node 9 failed',
    /^try.yaml:24: '9' is no node; here could stand a node from 1 to 5, leader or old$/,
  ],
]

test.each(mistakes)('line %i: %s', (line, instead, told) => {
  const lines = whole.split('\n')
  lines[line - 1] = instead
  expect(() => parseScenario(lines.join('\n'), 'try.yaml')).toThrow(told)
  expect(() => parseScenario(lines.join('\n'), 'try.yaml')).toThrow(BadInput)
})

test.each(['teaches', 'steps'])('a scenario without %s is refused', (key) => {
  const text = whole.replace(new RegExp(`^${key}:[^]*?^(?=\\w)`, 'm'), '')
  expect(() => parseScenario(text, 'try.yaml')).toThrow(
    `try.yaml:1: a scenario has a key '${key}', and it is missing`,
  )
})

test.each(['', '# nothing'])('a file that says nothing is refused', (text) => {
  expect(() => parseScenario(text, 'no.yaml')).toThrow(
    "no.yaml:1: the file is empty; a scenario begins with 'name:'",
  )
})
