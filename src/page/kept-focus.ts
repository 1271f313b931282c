/** A button that vanishes takes the focus with it: keys then go nowhere. */
import { useLayoutEffect } from 'preact/hooks'

/**
 * If the button in the box that has the focus is taken away, the one in its place gets the focus; where none is left, the
 * first element that fits `otherwise`.
 */
export function useKeptFocus(box: { readonly current: HTMLElement | null }, otherwise: string): void {
  // The old buttons stand until what is drawn here replaces them.
  const at = buttonsIn(box.current).indexOf(document.activeElement as HTMLButtonElement)
  useLayoutEffect(() => {
    if (at < 0 || document.activeElement !== document.body) return
    const left = buttonsIn(box.current)
    const next = left[Math.min(at, left.length - 1)] ?? document.querySelector<HTMLElement>(otherwise)
    next?.focus()
  })
}

function buttonsIn(box: HTMLElement | null): HTMLButtonElement[] {
  return [...(box?.querySelectorAll('button') ?? [])]
}
