import { test } from 'vitest'
import { persistenceLabs, playSeeds, seedsOf, titled, withinMs } from './labs.js'

test.each(titled(persistenceLabs))('%s', (_, lab) => playSeeds(lab, 1, seedsOf(lab)), withinMs)
