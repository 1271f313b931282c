/** Notes that the browser keeps for the page. Where it refuses to, the page keeps them until it is closed. */

type Storage = 'localStorage' | 'sessionStorage'

const refused = new Map<string, string>()

export function kept(storage: Storage, name: string): string | null {
  try {
    return refused.get(name) ?? globalThis[storage].getItem(name)
  } catch {
    return null
  }
}

export function keep(storage: Storage, name: string, value: string): void {
  try {
    globalThis[storage].setItem(name, value)
    refused.delete(name)
  } catch {
    refused.set(name, value)
  }
}
