import { test } from 'vitest'
import { agreementLabs, playSeeds, seedsOf, titled, withinMs } from './labs.js'

test.each(titled(agreementLabs))('%s', (_, lab) => playSeeds(lab, 1, seedsOf(lab)), withinMs)
