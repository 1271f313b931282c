import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { reasonOf } from '../../src/errors/index.js'

test('a reason is the message of an error and of what caused it', () => {
  expect(reasonOf(new Error('no room', { cause: new Error('a full disk') }))).toBe('no room: a full disk')
  expect(reasonOf('a text')).toBe('a text')
})

test.each([undefined, null])('a thrown %s is told in words', (thrown) => {
  expect(reasonOf(thrown)).toBe(`${thrown} was thrown, without a reason`)
})

test('an error of another realm is an error', () => {
  expect(reasonOf(runInNewContext("new Error('from afar', { cause: 7 })"))).toBe('from afar: 7')
})

test('a thrown object runs no code of its own', () => {
  const throws = () => {
    throw new Error('not to be called')
  }
  expect(reasonOf({ toString: throws })).toBe('object')
  expect(reasonOf(throws)).toBe('function')
})
