/** An element that vanishes takes the focus with it: keys then go nowhere. */
import { useLayoutEffect } from 'preact/hooks'

/**
 * If what has the focus in the box is taken away, the Tab stop of the ring gets the focus. In the place of a button, the
 * button that follows it gets the focus, where one is left.
 */
export function useKeptFocus(box: { readonly current: Element | null }): void {
  // The old elements stand until what is drawn here replaces them.
  const hadFocus = box.current?.contains(document.activeElement) ?? false
  const at = buttonsIn(box.current).indexOf(document.activeElement as HTMLButtonElement)
  useLayoutEffect(() => {
    if (!hadFocus || document.activeElement !== document.body) return
    const left = at < 0 ? [] : buttonsIn(box.current)
    const next = left[Math.min(at, left.length - 1)] ?? document.querySelector<SVGElement>(tabStopOfRing)
    next?.focus()
  })
}

const tabStopOfRing = '.ring-picture [tabindex="0"]'

function buttonsIn(box: Element | null): HTMLButtonElement[] {
  return [...(box?.querySelectorAll('button') ?? [])]
}
