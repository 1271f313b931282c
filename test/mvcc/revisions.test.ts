import { expect, test } from 'vitest'
import { everything, Machine, type Response } from './machine-help.js'

function keyValue(machine: Machine, key: string): Response | undefined {
  const response = machine.do('range', { key })
  return typeof response === 'string' ? undefined : (response['kvs'] as Response[])[0]
}

test('[RV1] a command that changes something makes the next revision, another makes none', () => {
  const machine = new Machine()
  expect(machine.do('range', everything)).toMatchObject({ revision: 1 })
  expect(machine.put('a', '1')).toBe(2)
  expect(machine.put('a', '1')).toBe(3)
  expect(machine.delete('absent')).toBe(3)
  expect(machine.do('txn', { compare: [], success: [] })).toMatchObject({ revision: 3, succeeded: true })
  expect(machine.delete('a')).toBe(4)
  expect(machine.delete('a')).toBe(4)
})

test('[RV2] create revision and version are those of the life of a key', () => {
  const machine = new Machine()
  machine.put('a', '1')
  machine.put('a', '2')
  expect(keyValue(machine, 'a')).toMatchObject({ createRevision: 2, modRevision: 3, version: 2, value: '2' })
  machine.delete('a')
  expect(keyValue(machine, 'a')).toBeUndefined()
  machine.put('a', '3')
  expect(keyValue(machine, 'a')).toMatchObject({ createRevision: 5, modRevision: 5, version: 1, value: '3' })
})

test('[RV3] all changes of a transaction have its revision', () => {
  const machine = new Machine()
  machine.put('gone', 'x')
  const puts = ['b', 'a', 'c'].map((key) => ({ requestPut: { key, value: '' } }))
  const response = machine.do('txn', { success: [...puts, { requestDeleteRange: { key: 'gone' } }] })
  expect(response).toMatchObject({ revision: 3 })
  for (const key of ['a', 'b', 'c'])
    expect(keyValue(machine, key)).toMatchObject({ modRevision: 3, version: 1 })
})

test('[RV4] the keys before are answered, and what a put ignores stays', () => {
  const machine = new Machine()
  expect(machine.do('put', { key: 'a', value: '1', prevKv: true })).toEqual({ revision: 2 })
  const second = machine.do('put', { key: 'a', value: '2', prevKv: true })
  expect(second).toMatchObject({ revision: 3, prevKv: { key: 'a', value: '1', modRevision: 2 } })
  machine.do('put', { key: 'a', ignoreValue: true })
  expect(keyValue(machine, 'a')).toMatchObject({ value: '2', version: 3, modRevision: 4 })
  machine.do('put', { key: 'a', value: '3', ignoreLease: true })
  expect(keyValue(machine, 'a')).toMatchObject({ value: '3', lease: 0 })
  machine.put('b', '4')
  const deleted = machine.do('deleteRange', { ...everything, prevKv: true })
  expect(deleted).toMatchObject({
    deleted: 2,
    prevKvs: [
      { key: 'a', value: '3' },
      { key: 'b', value: '4' },
    ],
  })
})

test.each([
  ['ignore_value of an absent key', { key: 'absent', ignoreValue: true }, 'keyNotFound'],
  ['ignore_lease of an absent key', { key: 'absent', value: 'x', ignoreLease: true }, 'keyNotFound'],
  ['ignore_value of a deleted key', { key: 'deleted', ignoreValue: true }, 'keyNotFound'],
  ['a lease that is not there', { key: 'a', value: 'x', lease: 7 }, 'leaseNotFound'],
])('[RV4][RV6] a put with %s is refused, and changes nothing', (_, request, status) => {
  const machine = new Machine()
  machine.put('a', '1')
  machine.put('deleted', '1')
  machine.delete('deleted')
  const before = machine.hash()
  expect(machine.do('put', request)).toBe(status)
  expect(machine.do('txn', { success: [{ requestPut: { key: 'b' } }, { requestPut: request }] })).toBe(status)
  expect(machine.hash()).toBe(before)
})

test('[RV5] a put alone names the missing lease before the missing key, one in a transaction after it', () => {
  const machine = new Machine()
  const requestPut = { key: 'absent', ignoreValue: true, lease: 7 }
  expect(machine.do('put', requestPut)).toBe('leaseNotFound')
  expect(machine.do('txn', { success: [{ requestPut }] })).toBe('keyNotFound')
})
