/** Verbs as steps in virtual time, where a verb that waits for an answer lets time pass. */
import { expect, test } from 'vitest'
import { parseScenario } from '../../src/scenarios/index.js'
import { complaintsOf, runOn } from './shipped.js'

const head = 'name: try\nteaches: nothing\nsteps:\n'

async function complaintsAbout(steps: string): Promise<string[]> {
  return complaintsOf(await runOn('simulated', parseScenario(head + steps, 'try.yaml'), { seed: 1 }))
}

test('every verb of data, links, disks, nodes and watching can be a step', async () => {
  const lines = [
    ...['put a 1', 'get a', 'delete a', 'range', 'status', 'snapshot all'],
    ...['cut 1->2 for 100ms', 'delay 1-2 5ms jitter 2ms', 'drop 1->2 10% heartbeat', 'duplicate 1-2 5%'],
    ...[
      'reorder 1-2 5%',
      'throttle *->1 1MB/s',
      'heal 1-2',
      'isolate 3 for 200ms',
      'partition 1|2,3 for 200ms',
    ],
    ...['slow-disk 1 5ms', 'stall-disk 2 for 50ms', 'heal', 'skew 2 +10ms', 'faults', 'heal 2'],
    ...[
      'pause 3',
      'resume 3',
      'kill 3',
      'restart 3',
      'power-loss 2',
      'fail-disk 1 for 300ms',
      'full-disk 2 for 300ms',
    ],
  ]
  expect(await complaintsAbout(lines.map((line) => `  - ${line}\n`).join(''))).toEqual([])
})

test('a node that was removed is down, and does not lead', async () => {
  const steps = `  - let: old = leader
  - remove old
  - until: old is down
  - expect: old does not lead
  - expect: old leads
`
  expect(await complaintsAbout(steps)).toEqual([expect.stringMatching(/old leads/)])
})

test.each([
  ['  - kill 3\n  - pause 3\n', "line 5, 'pause 3': node 3 is stopped: restart it first"],
  ['  - snapshot 1 kept\n', "line 4, 'snapshot 1 kept': snapshot: the nodes of this host write no files"],
  ['  - restart 3\n', "line 4, 'restart 3': restart 3: node 3 runs already"],
  [
    '  - stall-disk all\n  - put a 1\n',
    "line 5, 'put a 1': the call may or may not have taken effect (look before you try again): no answer came in time",
  ],
  [
    '  - pause all\n  - get a\n',
    "line 5, 'get a': no leader was found within 1000 ms (try again once a majority of the voters runs and is connected)",
  ],
])('a verb that cannot be carried out ends the steps: %j', async (steps, why) => {
  expect(await complaintsAbout(steps)).toEqual([`seed 1: ${why}`])
})

test('a verb that no answer comes to is given up after two minutes of virtual time', async () => {
  const steps = '  - put a 1\n  - stall-disk 2\n  - snapshot 2\n'
  const quiet =
    'timing:\n  heartbeat: 1s\n  election timeout: 10s\nload:\n  clients: 1\n  rate: 1/s\nsteps:\n'
  const scenario = parseScenario(head.replace('steps:\n', quiet) + steps, 'try.yaml')
  const result = await runOn('simulated', scenario, { seed: 1 })
  expect(complaintsOf(result)).toEqual(["seed 1: line 12, 'snapshot 2': snapshot 2: no answer came"])
})

test('more data than the checks of virtual time can hold is refused before anything starts', async () => {
  await expect(complaintsAbout('  - load: 4000\n')).rejects.toThrow(
    /^load: 4000 clients with values of 64 bytes are too much for virtual time/,
  )
})
