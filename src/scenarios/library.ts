/** The scenarios that ship with raftbox: files beside the sources, which are in the package. */
import { readdirSync, readFileSync } from 'node:fs'
import { didYouMean, reasonOf } from '../errors/index.js'
import { BadInput, printable } from '../terminal/index.js'
import { parseScenario } from './parse.js'
import type { Scenario } from './scenario.js'

// From the compiled file; the compiler copies no YAML.
const folder = new URL('../../../src/scenarios/files/', import.meta.url)
const ending = '.yaml'

export function shippedScenarios(): Scenario[] {
  return shippedNames().map((name) => parseScenario(read(new URL(name + ending, folder)), name + ending))
}

/** A scenario that ships, by its name, or one in a file. Throws `BadInput` where there is neither. */
export function findScenario(nameOrFile: string): Scenario {
  const names = shippedNames()
  if (names.includes(nameOrFile))
    return parseScenario(read(new URL(nameOrFile + ending, folder)), nameOrFile + ending)
  try {
    return parseScenario(read(nameOrFile), printable(nameOrFile))
  } catch (error) {
    if (error instanceof BadInput) throw error
    const why = reasonOf(error)
    throw new BadInput(
      `${nameOrFile} is no scenario that ships${didYouMean(nameOrFile, names)}, and cannot be read as a file: ${why}; raftbox scenario --list names those that ship`,
    )
  }
}

function shippedNames(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length))
    .sort()
}

function read(file: string | URL): string {
  return readFileSync(file, 'utf8')
}
