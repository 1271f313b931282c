/** Colours of the page's style, for what is drawn on a canvas. */
import { computed } from '@preact/signals'
import { isDark } from './theme.js'

const names = ['card', 'ink', 'soft', 'line', 'edge', 'accent', 'bad', 'warn'] as const

export type Inks = Readonly<Record<(typeof names)[number], string>>

/** The style names a colour for each theme; an element of one theme tells the colour that it takes. */
export const inks = computed<Inks>(() => {
  const probe = document.createElement('span')
  probe.style.colorScheme = isDark.value ? 'dark' : 'light'
  document.body.append(probe)
  const found = names.map((name) => {
    probe.style.color = `var(--${name})`
    return [name, getComputedStyle(probe).color]
  })
  probe.remove()
  return Object.fromEntries(found)
})
