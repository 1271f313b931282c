import { test } from 'vitest'
import { playSeeds, seedsOf, snapshotLabs, titled, withinMs } from './labs.js'

test.each(titled(snapshotLabs))('%s', (_, lab) => playSeeds(lab, 1, seedsOf(lab)), withinMs)
