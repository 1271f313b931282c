import { describe, expect, test } from 'vitest'
import { everything, Machine } from './machine-help.js'

const targets = { version: 0, create: 1, mod: 2, value: 3, lease: 4 } as const
const results = { equal: 0, greater: 1, less: 2, notEqual: 3 } as const

/** Key `a` at create revision 2, mod revision 3, version 2, value `m`; key `ab` at 4, 4, 1, `m`. */
function filled(): Machine {
  const machine = new Machine()
  machine.put('a', 'x')
  machine.put('a', 'm')
  machine.put('ab', 'm')
  return machine
}

function holds(machine: Machine, ...compare: object[]): boolean {
  const response = machine.do('txnRange', { compare })
  if (typeof response === 'string') throw new Error(`the transaction was ${response}`)
  return response['succeeded'] === true
}

describe('[TX1] a compare', () => {
  const operands = [
    [targets.version, 'version', 2, 1, 3],
    [targets.create, 'createRevision', 2, 1, 3],
    [targets.mod, 'modRevision', 3, -1, 2 ** 60],
    [targets.value, 'value', 'm', '', 'ma'],
    [targets.lease, 'lease', 0, -1, 1],
  ] as const

  test.each(operands)('of target %d has four results', (target, field, same, below, above) => {
    const machine = filled()
    const result = (of: number, operand: number | string) =>
      holds(machine, { key: 'a', target, result: of, [field]: operand })
    for (const [operand, expected] of [
      [same, [true, false, false, false]],
      [below, [false, true, false, true]],
      [above, [false, false, true, true]],
    ] as const) {
      const found = [results.equal, results.greater, results.less, results.notEqual].map((of) =>
        result(of, operand),
      )
      expect(found).toEqual(expected)
    }
  })

  test('takes the operand of another target for none', () => {
    const machine = filled()
    expect(holds(machine, { key: 'a', target: targets.version, modRevision: 2 })).toBe(false)
    expect(holds(machine, { key: 'absent', target: targets.version, modRevision: 2 })).toBe(true)
    machine.put('a', '')
    expect(holds(machine, { key: 'a', target: targets.value, version: 1 })).toBe(true)
  })

  test('of an unknown target is equal, and one of an unknown result holds', () => {
    const machine = filled()
    // protobufjs writes no unknown enum: target is field 2, result is field 1, key is field 3.
    const compare = (...fields: number[]) => Buffer.from([0x0a, fields.length + 3, ...fields, 0x1a, 1, 0x61])
    const succeeded = (bytes: Buffer) => machine.read('txnRange', bytes).body.toString('hex') === '1001'
    expect(succeeded(compare(0x10, 9, 0x08, results.equal))).toBe(true)
    expect(succeeded(compare(0x10, 9, 0x08, results.notEqual))).toBe(false)
    expect(succeeded(compare(0x10, targets.version, 0x08, 9))).toBe(true)
  })

  test('decides with all others', () => {
    const machine = filled()
    const yes = { key: 'a', target: targets.version, version: 2 }
    const no = { key: 'a', target: targets.version, version: 3 }
    expect(holds(machine)).toBe(true)
    expect(holds(machine, yes, yes)).toBe(true)
    expect(holds(machine, yes, no)).toBe(false)
    expect(holds(machine, no, yes)).toBe(false)
  })
})

test('[TX2] a compare of a range holds for each key, and zeros stand for no key', () => {
  const machine = filled()
  const range = { key: 'a', rangeEnd: 'b' }
  expect(holds(machine, { ...range, target: targets.value, value: 'm' })).toBe(true)
  // The last key alone is of another version, and then the first.
  expect(holds(machine, { ...range, target: targets.version, version: 2 })).toBe(false)
  expect(holds(machine, { ...range, target: targets.version, version: 1 })).toBe(false)
  expect(holds(machine, { ...range, target: targets.version, result: results.greater, version: 0 })).toBe(
    true,
  )
  for (const none of [{ key: 'absent' }, { key: 'x', rangeEnd: '\0' }]) {
    expect(holds(machine, { ...none, target: targets.create, createRevision: 0 })).toBe(true)
    expect(holds(machine, { ...none, target: targets.value, value: '' })).toBe(false)
    expect(holds(machine, { ...none, target: targets.value, result: results.notEqual, value: 'x' })).toBe(
      false,
    )
  }
})

test('[TX3] a nested compare sees nothing that the transaction did', () => {
  const machine = filled()
  const nested = {
    compare: [{ key: 'new', target: targets.version, version: 1 }],
    success: [{ requestPut: { key: 'found' } }],
    failure: [{ requestPut: { key: 'not found' } }],
  }
  const response = machine.do('txn', { success: [{ requestPut: { key: 'new' } }, { requestTxn: nested }] })
  expect(response).toMatchObject({ responses: [{}, { responseTxn: { succeeded: false } }] })
  expect(machine.range(everything)).toEqual(['a=m', 'ab=m', 'new=', 'not found='])
})

test.each([
  ['a range of a later revision', { requestRange: { key: 'a', revision: 5 } }, 'futureRevision'],
  ['a range of a compacted revision', { requestRange: { key: 'a', revision: 2 } }, 'compacted'],
  [
    'a range of a negative revision, once compacted',
    { requestRange: { key: 'a', revision: -1 } },
    'compacted',
  ],
  [
    'a put of an absent key that ignores its value',
    { requestPut: { key: 'no', ignoreValue: true } },
    'keyNotFound',
  ],
  [
    'a nested transaction with one of these',
    { requestTxn: { success: [{ requestPut: { key: 'n', lease: 9 } }] } },
    'leaseNotFound',
  ],
])('[TX4][RV6] %s is refused before anything is done', (_, operation, status) => {
  const machine = filled()
  machine.compact(3)
  const before = machine.hash()
  expect(machine.do('txn', { success: [{ requestPut: { key: 'first' } }, operation] })).toBe(status)
  expect(machine.hash()).toBe(before)
})

test('[TX4] of a put and a range that are both refused, the put is named', () => {
  const success = [
    { requestRange: { key: 'a', revision: 100 } },
    { requestPut: { key: 'absent', ignoreValue: true } },
  ]
  expect(filled().do('txn', { success })).toBe('keyNotFound')
})

test('[TX4] the branch that does not run is not asked', () => {
  const failure = [{ requestRange: { key: 'a', revision: 100 } }]
  expect(filled().do('txn', { success: [{ requestPut: { key: 'b' } }], failure })).toMatchObject({
    succeeded: true,
  })
})

test('[TX5] each operation sees those before it', () => {
  const machine = filled()
  const range = { requestRange: { key: 'a', rangeEnd: 'b' } }
  const response = machine.do('txn', {
    success: [
      range,
      { requestPut: { key: 'a', value: 'new', prevKv: true } },
      range,
      { requestTxn: { success: [{ requestDeleteRange: { key: 'a', prevKv: true } }, range] } },
      { requestRange: { key: 'a', rangeEnd: 'b', revision: 4 } },
    ],
  })
  expect(response).toMatchObject({
    revision: 5,
    responses: [
      { responseRange: { header: { revision: 4 }, count: 2, kvs: [{ value: 'm' }, {}] } },
      { responsePut: { header: { revision: 5 }, prevKv: { value: 'm' } } },
      { responseRange: { header: { revision: 5 }, kvs: [{ value: 'new', modRevision: 5, version: 3 }, {}] } },
      {
        responseTxn: {
          responses: [
            { responseDeleteRange: { deleted: 1, prevKvs: [{ value: 'new' }] } },
            { responseRange: { count: 1, kvs: [{ key: 'ab' }] } },
          ],
        },
      },
      { responseRange: { header: { revision: 5 }, count: 2, kvs: [{ value: 'm', version: 2 }, {}] } },
    ],
  })
})

test('[TX6] headers within tell the revision, that of a nested transaction nothing', () => {
  const machine = filled()
  const nothing = { requestDeleteRange: { key: 'absent' } }
  const put = { requestPut: { key: 'z' } }
  const response = machine.do('txn', { success: [nothing, put, nothing, { requestTxn: { success: [] } }] })
  expect(response).toMatchObject({
    responses: [
      { responseDeleteRange: { header: { revision: 4 } } },
      { responsePut: { header: { revision: 5 } } },
      { responseDeleteRange: { header: { revision: 5 } } },
      { responseTxn: { header: { revision: 0 }, succeeded: true } },
    ],
  })
})

test('[TX7] the answer to a transaction is bounded: a larger one is told as such, and the request was carried out', () => {
  const machine = new Machine()
  for (const key of ['a', 'b']) machine.put(key, 'v'.repeat(600_000))
  const read = { requestRange: everything }
  const reads = (count: number) => [
    { requestPut: { key: 'c', value: String(count) } },
    ...Array(count).fill(read),
  ]
  expect(machine.do('txn', { success: reads(55) })).toMatchObject({ succeeded: true })
  const nested = { requestTxn: { success: Array(60).fill(read) } }
  expect(machine.do('txn', { success: [...reads(1), nested, nested] })).toBe('answerTooLarge')
  expect(machine.do('range', { key: 'c' })).toMatchObject({ kvs: [{ value: '1', version: 2 }] })
  expect(machine.do('txnRange', { success: Array(60).fill(read) })).toBe('answerTooLarge')
})

test('[TX7] a deletion whose previous keys are too many is carried out', () => {
  const machine = new Machine()
  for (let at = 0; at < 45; at++) machine.put(`k${at}`, 'v'.repeat(1_500_000))
  expect(machine.do('deleteRange', { ...everything, prevKv: true })).toBe('answerTooLarge')
  expect(machine.do('range', everything)).toMatchObject({ count: 0 })
})

test('[TX7] compares that look at more records than an answer holds are refused before anything is done', () => {
  const machine = new Machine()
  for (let at = 0; at < 18_000; at++) machine.put(`k${at}`, '')
  const compare = { ...everything, target: targets.version, result: results.equal, version: 1 }
  const success = [{ requestPut: { key: 'done', value: '' } }]
  expect(machine.do('txn', { compare: Array(100).fill(compare), success })).toMatchObject({ succeeded: true })
  machine.do('deleteRange', { key: 'done' })
  expect(machine.do('txn', { compare: Array(128).fill(compare), success })).toBe('tooManyOps')
  expect(machine.do('range', { key: 'done' })).toMatchObject({ count: 0 })
  expect(machine.do('txnRange', { compare: Array(128).fill(compare) })).toBe('tooManyOps')
})

test('[TX8] a transaction that would change something is no query', () => {
  const machine = filled()
  const before = machine.hash()
  const put = { requestPut: { key: 'a', value: 'other' } }
  expect(machine.do('txnRange', { success: [put] })).toBe('malformed')
  expect(machine.do('txnRange', { success: [{ requestTxn: { success: [put] } }] })).toBe('malformed')
  expect(machine.hash()).toBe(before)
})
