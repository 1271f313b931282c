import { expect, test } from 'vitest'
import { OneMachine } from './one-machine.js'

const activate = { action: 1, alarm: 1 }
const deactivate = { action: 2, alarm: 1 }
const key = Buffer.from('k')
const put = { key, value: Buffer.from('v') }
const put1 = { requestPut: put }

const raised = (machine: OneMachine) =>
  machine.ask('alarms', {}).message.alarms.map((alarm: object) => ({ ...alarm }))

test('an alarm stays until the same member ends it', () => {
  const machine = new OneMachine()
  const alarm = { memberID: '2', alarm: 1 }
  expect(machine.do('alarm', { ...activate, memberID: 2 }).message.alarms).toEqual([alarm])
  expect(machine.do('alarm', { ...activate, memberID: 2 }).message.alarms).toEqual([alarm])
  expect(raised(machine)).toEqual([alarm])
  expect(machine.do('alarm', { ...deactivate, memberID: 1 }).message.alarms).toEqual([])
  expect(machine.do('alarm', { ...deactivate, memberID: 2 }).message.alarms).toEqual([alarm])
  expect(raised(machine)).toEqual([])
})

test('alarms are told by their type, or all of them', () => {
  const machine = new OneMachine()
  machine.do('alarm', { action: 1, alarm: 2, memberID: 1 })
  machine.do('alarm', { action: 1, alarm: 1, memberID: 3 })
  const told = (alarm: number) => machine.do('alarm', { action: 0, alarm }).message.alarms
  expect(told(1)).toEqual([{ memberID: '3', alarm: 1 }])
  expect(told(2)).toEqual([{ memberID: '1', alarm: 2 }])
  expect(told(0)).toEqual([...told(1), ...told(2)])
})

test('without space, the store takes nothing that makes it larger', () => {
  const machine = new OneMachine()
  machine.do('put', put)
  machine.do('leaseGrant', { TTL: 5, ID: 1 })
  machine.do('alarm', { ...activate, memberID: 1 })
  const { revision } = machine.ask('range', { key })
  expect(machine.do('put', put).status).toBe('noSpace')
  expect(machine.do('leaseGrant', { TTL: 5, ID: 2 }).status).toBe('noSpace')
  expect(machine.do('txn', { success: [put1] }).status).toBe('noSpace')
  expect(machine.do('txn', { failure: [put1] }).status).toBe('noSpace')
  expect(machine.ask('range', { key })).toMatchObject({ status: 'ok', revision })
  expect(machine.do('leaseKeepAlive', { ID: 1 }).status).toBe('ok')
  expect(machine.do('txn', { success: [{ requestDeleteRange: { key } }] }).status).toBe('ok')
  expect(machine.do('deleteRange', { key }).status).toBe('ok')
  expect(machine.do('compact', { revision }).status).toBe('ok')
  expect(machine.do('leaseRevoke', { ID: 1 }).status).toBe('ok')
  machine.do('alarm', { ...deactivate, memberID: 1 })
  expect(machine.do('put', put).status).toBe('ok')
})

test('a corrupt store changes no key', () => {
  const machine = new OneMachine()
  machine.do('leaseGrant', { TTL: 5, ID: 1 })
  machine.do('alarm', { action: 1, alarm: 2, memberID: 1 })
  for (const op of ['put', 'deleteRange', 'txn', 'compact', 'leaseGrant', 'leaseRevoke'] as const)
    expect([op, machine.do(op, {}).status]).toEqual([op, 'corrupt'])
  expect(machine.do('leaseKeepAlive', { ID: 1 }).status).toBe('ok')
  machine.do('alarm', { action: 2, alarm: 2, memberID: 1 })
  expect(machine.do('put', put).status).toBe('ok')
})

test('alarms are in snapshots and in the hash, in whatever order they were raised', () => {
  const [one, other, calm] = [new OneMachine(), new OneMachine(), new OneMachine()]
  for (const memberID of [1, 2]) one.do('alarm', { ...activate, memberID })
  for (const memberID of [2, 1]) other.do('alarm', { ...activate, memberID })
  expect(one.machine.hash()).toBe(other.machine.hash())
  expect(one.machine.hash()).not.toBe(calm.machine.hash())
  calm.machine.restore({ [Symbol.iterator]: () => one.machine.snapshot() })
  expect(raised(calm)).toEqual(raised(one))
  expect(calm.do('put', put).status).toBe('noSpace')
})

test('a request for an unknown action changes nothing', () => {
  const machine = new OneMachine()
  expect(machine.do('alarm', { action: 3, alarm: 1, memberID: 1 }).status).toBe('malformed')
  expect(raised(machine)).toEqual([])
})
