/** The keys of the command bar: into the words that are offered, out of them, and through the lines before. */
import { expect, test, vi } from 'vitest'
import { TypedLine } from '../../src/page/typed-line.js'

function press(typed: TypedLine, key: string): boolean {
  const event = { key, shiftKey: false, preventDefault: vi.fn() }
  typed.onKeyDown(event as unknown as KeyboardEvent)
  return event.preventDefault.mock.calls.length > 0
}

function typedWith(text: string, ...offers: string[]): TypedLine {
  const typed = new TypedLine()
  typed.write(text)
  typed.offered.value = { offers, typed: text }
  return typed
}

test('the arrow down goes into the words that are offered, and the arrow up out of them', () => {
  const typed = typedWith('p', 'pause ', 'put ')
  press(typed, 'ArrowDown')
  press(typed, 'ArrowDown')
  expect(typed.picked.value).toBe(1)
  press(typed, 'ArrowUp')
  expect(typed.picked.value).toBe(0)
  press(typed, 'Enter')
  expect(typed.line.value).toBe('pause ')
  expect(typed.picked.value).toBe(-1)
})

test('Tab takes a word that is offered; behind Escape it leaves, with the line as it is', () => {
  const typed = typedWith('pu', 'put ')
  expect(press(typed, 'Tab')).toBe(true)
  expect(typed.line.value).toBe('put ')
  typed.offered.value = { offers: ['a', 'b'], typed: '' }
  press(typed, 'ArrowDown')
  press(typed, 'Escape')
  expect([typed.line.value, typed.picked.value]).toEqual(['put ', -1])
  expect(press(typed, 'Tab')).toBe(false)
})

test('arrows walk the lines before, as long as no words are offered', () => {
  vi.stubGlobal('fetch', () => new Promise(() => {}))
  const typed = typedWith('')
  for (const line of ['kill 1', 'heal']) {
    typed.write(line)
    typed.submit(new Event('submit'))
  }
  typed.write('pu')
  const up = () => press(typed, 'ArrowUp')
  up()
  up()
  expect(typed.line.value).toBe('kill 1')
  press(typed, 'ArrowDown')
  press(typed, 'ArrowDown')
  expect(typed.line.value).toBe('pu')
  vi.unstubAllGlobals()
})
