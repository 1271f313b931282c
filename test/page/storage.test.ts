/** Notes that the browser keeps for the page, also where it refuses to. */
import { afterEach, expect, test, vi } from 'vitest'
import { keep, kept } from '../../src/page/storage.js'

afterEach(() => vi.unstubAllGlobals())

test('a browser that remembers is asked', () => {
  const held = new Map<string, string>()
  vi.stubGlobal('sessionStorage', {
    getItem: (name: string) => held.get(name) ?? null,
    setItem: (name: string, value: string) => held.set(name, value),
  })
  expect(kept('sessionStorage', 'panel')).toBeNull()
  keep('sessionStorage', 'panel', 'keys')
  expect(held.get('panel')).toBe('keys')
  expect(kept('sessionStorage', 'panel')).toBe('keys')
})

test('where the browser refuses, the page remembers by itself', () => {
  const refuse = () => {
    throw new Error('the quota is zero')
  }
  vi.stubGlobal('localStorage', { getItem: refuse, setItem: refuse })
  expect(kept('localStorage', 'theme')).toBeNull()
  keep('localStorage', 'theme', 'dark')
  expect(kept('localStorage', 'theme')).toBe('dark')
})
