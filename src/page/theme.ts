/** Light or dark: as the system has it, or as the reader chose. */
import { computed, effect, signal } from '@preact/signals'
import { termColours } from './palette.js'
import { keep, kept } from './storage.js'

export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const name = 'raftbox-theme'
const systemDark = matchMedia('(prefers-color-scheme: dark)')
const isSystemDark = signal(systemDark.matches)

export const theme = signal<Theme>(themes.find((each) => each === kept('localStorage', name)) ?? 'system')
/** For what is drawn on a canvas. Stylesheets follow `color-scheme`. */
export const isDark = computed(() => (theme.value === 'system' ? isSystemDark.value : theme.value === 'dark'))

const stillness = matchMedia('(prefers-reduced-motion: reduce)')
/** The reader asked for little motion: things stand where they would move. */
export const isStill = signal(stillness.matches)

export function beginTheme(): void {
  systemDark.addEventListener('change', ({ matches }) => (isSystemDark.value = matches))
  stillness.addEventListener('change', ({ matches }) => (isStill.value = matches))
  const { style } = document.documentElement
  for (const [place, { light, dark }] of termColours.entries())
    style.setProperty(`--term-${place}`, `light-dark(${light}, ${dark})`)
  effect(() => {
    style.colorScheme = theme.value === 'system' ? 'light dark' : theme.value
    keep('localStorage', name, theme.value)
  })
}

export function nextTheme(): void {
  theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length] as Theme
}
