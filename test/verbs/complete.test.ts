/** Offers of Tab, and that no line whatever breaks the reading of lines. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { reasonOf } from '../../src/errors/index.js'
import { BadInput, exitCodeOf } from '../../src/terminal/index.js'
import { complete, parse, perform, verbs } from '../../src/verbs/index.js'
import { RecordedSubject } from './recorded-subject.js'

const nodeIds = [1, 2, 3]

test.each([
  ['st', ['status ', 'stall-disk ', 'stop ']],
  ['kill ', ['1 ', '2 ', '3 ', 'leader ', 'followers ', 'follower ', 'minority ', 'all ', 'any ']],
  ['kill fo', ['followers ', 'follower ']],
  ['kill 1,l', ['1,leader ']],
  ['kill 1 ', ['for ']],
  ['kill 1 for ', ['80ms ']],
  ['kill 1 for 10', ['10ms ', '10s ', '10min ']],
  ['delay 1-2 80', ['80ms ', '80s ']],
  ['kill 1 for 1', ['1ms ', '1s ', '1min ', '1h ']],
  ['kill 1 for 99999999', []],
  ['kill 1 for 10s ', []],
  ['full-disk 1 ', ['1MB ', 'for ']],
  ['full-disk 1 for 1s ', []],
  ['kill boss f', []],
  ['pot ', []],
  ['cut l', ['leader->', 'leader-']],
  ['cut 1->', ['1->2 ', '1->3 ', ...[...rolesAt('1->')], '1->* ', '1->clients ']],
  ['cut 1-c', ['1-clients ']],
  ['cut 1->2 h', ['heartbeat ']],
  ['delay 1->2 80ms j', ['jitter ']],
  ['delay 1->2 80ms jitter 1ms fo', ['for ']],
  ['throttle 1-2 1M', ['1MB/s ', '1MiB/s ']],
  ['partition ', ['1|2,3 ', '1,2|3 ']],
  ['skew 1 +', ['+50ms ', '+10% ']],
  ['load ', ['64 ', 'off ']],
  ['help fa', ['fail-disk ', 'faults ']],
  ['put a', []],
])('after %j Tab offers %j', (line, offers) => {
  expect(complete(line, nodeIds)[0]).toEqual(offers)
})

function rolesAt(start: string): string[] {
  return ['leader', 'followers', 'follower', 'minority', 'all', 'any'].map((role) => `${start}${role} `)
}

const words = fc.constantFrom(
  ...verbs.map(({ name }) => name),
  ...[
    '1->3',
    '1-3',
    '*->1',
    '80ms',
    '10%',
    '+5%',
    'for',
    'jitter',
    'leader',
    '2',
    '1,2|3',
    '#1',
    '1MB/s',
    'heartbeat',
  ],
  ...['off', 'on', '64', '\u0000', '->', '1->1', '__proto__', '', ' ', '9'.repeat(400)],
)
const lines = fc.oneof(
  fc.array(words, { maxLength: 7 }).map((all) => all.join(' ')),
  fc.string({ unit: 'binary', maxLength: 40 }),
)

test('a foreign line is carried out or refused in one line, whatever it holds', async () => {
  await fc.assert(
    fc.asyncProperty(lines, async (line) => {
      const conversation = { showsEvents: true, isEnded: false }
      try {
        const command = parse(line)
        if (command === undefined) return
        const { data } = await perform({ subject: new RecordedSubject(), conversation }, command)
        expect(JSON.parse(JSON.stringify(data))).toEqual(data)
      } catch (error) {
        expect(exitCodeOf(error), reasonOf(error)).toBe(2)
        if (error instanceof BadInput) expect(error.message.length).toBeLessThan(500)
      }
    }),
    { seed: 2, numRuns: 3000 },
  )
})

test('what Tab offers is understood where it stands', () => {
  fc.assert(
    fc.property(lines, (line) => {
      const [offers, typed] = complete(line, nodeIds)
      for (const offer of offers) {
        expect(offer.startsWith(typed)).toBe(true)
        const longer = line.slice(0, line.length - typed.length) + offer
        // A word that is whole is either the last one, or others may follow it: it is no longer the wrong one.
        const refusal = refusalOf(longer)
        if (offer.endsWith(' ')) expect(refusal).not.toContain(`not '${offer.trim()}'`)
      }
    }),
    { seed: 3, numRuns: 2000 },
  )
})

function refusalOf(line: string): string {
  try {
    parse(line)
    return ''
  } catch (error) {
    return reasonOf(error)
  }
}
