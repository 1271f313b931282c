import { expect, test } from 'vitest'
import type { Status } from '../../src/mvcc/index.js'
import { Machine, type Response } from './machine-help.js'

const activate = { action: 1, alarm: 1 }
const deactivate = { action: 2, alarm: 1 }
const key = Buffer.from('k')
const put = { key, value: Buffer.from('v') }
const put1 = { requestPut: put }

const alarmsIn = (answered: Response | Status): unknown => (answered as Response)['alarms']
const raised = (machine: Machine): unknown => alarmsIn(machine.do('alarms', {}))
const statusOf = (answered: Response | Status): Status => (typeof answered === 'string' ? answered : 'ok')

test('[AL1] an alarm stays until it is ended for the same member', () => {
  const machine = new Machine()
  const alarm = { memberID: 2, alarm: 1 }
  expect(alarmsIn(machine.do('alarm', { ...activate, memberID: 2 }))).toEqual([alarm])
  expect(alarmsIn(machine.do('alarm', { ...activate, memberID: 2 }))).toEqual([alarm])
  expect(raised(machine)).toEqual([alarm])
  expect(alarmsIn(machine.do('alarm', { ...deactivate, memberID: 1 }))).toEqual([])
  expect(alarmsIn(machine.do('alarm', { ...deactivate, memberID: 2 }))).toEqual([alarm])
  expect(raised(machine)).toEqual([])
})

test('[AL2] alarms are told by their type, or all of them', () => {
  const machine = new Machine()
  machine.do('alarm', { action: 1, alarm: 2, memberID: 1 })
  machine.do('alarm', { action: 1, alarm: 1, memberID: 3 })
  const told = (alarm: number) => alarmsIn(machine.do('alarm', { action: 0, alarm })) as object[]
  expect(told(1)).toEqual([{ memberID: 3, alarm: 1 }])
  expect(told(2)).toEqual([{ memberID: 1, alarm: 2 }])
  expect(told(0)).toEqual([...told(1), ...told(2)])
})

test('[AL3] without space, the store takes nothing that makes it larger', () => {
  const machine = new Machine()
  machine.do('put', put)
  machine.do('leaseGrant', { TTL: 5, ID: 1 })
  machine.do('alarm', { ...activate, memberID: 1 })
  const { revision } = machine.do('range', { key }) as { revision: number } & Response
  expect(statusOf(machine.do('put', put))).toBe('noSpace')
  expect(statusOf(machine.do('leaseGrant', { TTL: 5, ID: 2 }))).toBe('noSpace')
  expect(statusOf(machine.do('txn', { success: [put1] }))).toBe('noSpace')
  expect(statusOf(machine.do('txn', { failure: [put1] }))).toBe('noSpace')
  expect(machine.do('range', { key })).toMatchObject({ revision })
  expect(statusOf(machine.do('leaseKeepAlive', { ID: 1 }))).toBe('ok')
  expect(statusOf(machine.do('txn', { success: [{ requestDeleteRange: { key } }] }))).toBe('ok')
  expect(statusOf(machine.do('deleteRange', { key }))).toBe('ok')
  expect(statusOf(machine.do('compact', { revision }))).toBe('ok')
  expect(statusOf(machine.do('leaseRevoke', { ID: 1 }))).toBe('ok')
  machine.do('alarm', { ...deactivate, memberID: 1 })
  expect(statusOf(machine.do('put', put))).toBe('ok')
})

test('[AL4] a corrupt store changes no key', () => {
  const machine = new Machine()
  machine.do('leaseGrant', { TTL: 5, ID: 1 })
  machine.do('alarm', { action: 1, alarm: 2, memberID: 1 })
  for (const op of ['put', 'deleteRange', 'txn', 'compact', 'leaseGrant', 'leaseRevoke'] as const)
    expect([op, statusOf(machine.do(op, {}))]).toEqual([op, 'corrupt'])
  expect(statusOf(machine.do('leaseKeepAlive', { ID: 1 }))).toBe('ok')
  machine.do('alarm', { action: 2, alarm: 2, memberID: 1 })
  expect(statusOf(machine.do('put', put))).toBe('ok')
})

test('[AL4] a corrupt store ends no lease: its keys go once the alarm has ended', () => {
  const machine = new Machine()
  machine.do('leaseGrant', { TTL: 2, ID: 7 })
  machine.put('leased', 'v', 7)
  machine.do('alarm', { action: 1, alarm: 2, memberID: 1 })
  for (let told = 0; told < 20; told++) machine.passes(250)
  expect(machine.do('range', { key: 'leased' })).toMatchObject({ count: 1 })
  machine.do('alarm', { action: 2, alarm: 2, memberID: 1 })
  machine.passes(250)
  expect(machine.do('range', { key: 'leased' })).toMatchObject({ count: 0 })
})

test('[AL5] alarms are in snapshots and in the hash, in whatever order they were raised', () => {
  const [one, other, calm] = [new Machine(), new Machine(), new Machine()]
  for (const memberID of [1, 2]) one.do('alarm', { ...activate, memberID })
  for (const memberID of [2, 1]) other.do('alarm', { ...activate, memberID })
  expect(one.machine.hash()).toBe(other.machine.hash())
  expect(one.machine.hash()).not.toBe(calm.machine.hash())
  calm.machine.restore({ [Symbol.iterator]: () => one.machine.snapshot() })
  expect(raised(calm)).toEqual(raised(one))
  expect(statusOf(calm.do('put', put))).toBe('noSpace')
})

test('[AL2] a request for an unknown action changes nothing', () => {
  const machine = new Machine()
  expect(statusOf(machine.do('alarm', { action: 3, alarm: 1, memberID: 1 }))).toBe('malformed')
  expect(raised(machine)).toEqual([])
})

test('[AL6] clients raise 128 alarms, whatever the members are, and may end each of them', () => {
  const machine = new Machine()
  const of = (memberID: number, action = 1) => machine.do('alarm', { action, alarm: 7, memberID })
  for (let memberID = 1; memberID <= 128; memberID++) expect(statusOf(of(memberID))).toBe('ok')
  expect(statusOf(of(129))).toBe('noSpace')
  expect(raised(machine)).toHaveLength(128)
  expect(alarmsIn(of(128))).toEqual([{ memberID: 128, alarm: 7 }])
  expect(statusOf(of(1, 2))).toBe('ok')
  expect(statusOf(of(129))).toBe('ok')
  expect(raised(machine)).toHaveLength(128)
})
