/** Finds the state machine that a user named, in the thread that will run it. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { RaftError } from '../errors/index.js'
import { createKv } from './kv.js'
import type { MachineFactory, StateMachine } from './machine.js'

const methods = ['apply', 'read', 'snapshot', 'restore', 'hash'] as const satisfies (keyof StateMachine)[]
const nameLengthMax = 100

/**
 * The factory of a module: its default export. A URL, or a string that is one, is imported as it stands;
 * any other string is a path, seen from the working directory. `undefined` means the built-in KV. `expectedName`: the
 * machine must have this name.
 */
export async function loadMachine(
  module: URL | string | undefined,
  expectedName?: string | undefined,
): Promise<MachineFactory> {
  if (module === undefined) return createKv
  const href = hrefOf(module)
  const factory = (await importModule(href)).default
  if (typeof factory !== 'function') {
    throw invalid(
      'a module whose default export is a function',
      `${href}, whose default export is ${kindOf(factory)}`,
    )
  }
  // The factory is tried once here, so that a machine that lacks a method is refused before a node starts with it.
  const machine = make(factory as MachineFactory, href)
  const lacking = methodsLacking(machine)
  if (lacking.length > 0) {
    const calls = lacking.map((method) => `${method}()`).join(', ')
    throw invalid(`a machine with ${methods.join(', ')}`, `${href}, whose machine lacks ${calls}`)
  }
  checkName((machine as StateMachine).name, expectedName, href)
  return factory as MachineFactory
}

/** A scheme has at least two letters before its colon, since `C:\machine.mjs` is a path. */
function hrefOf(module: URL | string): string {
  if (typeof module !== 'string') return module.href
  return /^[a-z][a-z0-9+.-]+:/i.test(module) ? module : pathToFileURL(resolve(module)).href
}

async function importModule(href: string): Promise<{ readonly default?: unknown }> {
  try {
    return (await import(href)) as { readonly default?: unknown }
  } catch (cause) {
    throw invalid('a module that can be imported', `${href} (${messageOf(cause)})`, cause)
  }
}

function make(factory: MachineFactory, href: string): unknown {
  try {
    return factory()
  } catch (cause) {
    throw invalid(
      'a module whose default export makes a machine',
      `${href}, which threw: ${messageOf(cause)}`,
      cause,
    )
  }
}

function methodsLacking(machine: unknown): string[] {
  const made = Object(machine) as Record<string, unknown>
  return methods.filter((method) => typeof made[method] !== 'function')
}

function checkName(name: unknown, expectedName: string | undefined, href: string): void {
  const isName = typeof name === 'string' && name !== '' && name.length <= nameLengthMax
  if (name !== undefined && !isName)
    throw invalid(
      `a machine whose name is a text of 1 to ${nameLengthMax} characters`,
      `${href}, whose machine has another name`,
    )
  if (expectedName === undefined || name === expectedName) return
  const found = name === undefined ? 'has no name' : `is named ${name}`
  throw invalid(
    `the machine named ${expectedName}, for which the directory was made`,
    `${href}, whose machine ${found}`,
  )
}

function kindOf(value: unknown): string {
  return value === undefined ? 'missing' : value === null ? 'null' : `of type ${typeof value}`
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

function invalid(expected: string, actual: string, cause?: unknown): RaftError {
  return new RaftError('INVALID_OPTION', { option: 'machine', expected, actual }, cause)
}
