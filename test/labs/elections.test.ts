import { test } from 'vitest'
import { electionLabs, playSeeds, seedsOf, titled, withinMs } from './labs.js'

test.each(titled(electionLabs))('%s', (_, lab) => playSeeds(lab, 1, seedsOf(lab)), withinMs)
