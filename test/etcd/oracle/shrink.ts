/** Makes a failing program small: first fewer operations, then fewer fields in what is left. */
import type { Message } from './client.js'
import type { Operation, Program } from './program.js'

/** Without its key, or its lifetime, a request is another one. */
const kept = new Set(['key', 'TTL'])

/** `fails` runs a program on new stores. */
export async function shrink(
  program: Program,
  fails: (program: Program) => Promise<boolean>,
): Promise<Program> {
  return fewerFields(await fewerOperations(program, fails), fails)
}

/** Leaves out halves, then quarters, and so on down to single operations. */
async function fewerOperations(
  program: Program,
  fails: (program: Program) => Promise<boolean>,
): Promise<Program> {
  let left = program
  for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = left.length - size; at > -size; at -= size) {
      const fewer = left.filter((_, index) => index < at || index >= at + size)
      if (fewer.length < left.length && (await fails(fewer))) left = fewer
    }
  }
  return left
}

async function fewerFields(
  program: Program,
  fails: (program: Program) => Promise<boolean>,
): Promise<Program> {
  let left = program
  for (const at of program.keys()) {
    for (const without of fieldsOf(left[at] as Operation)) {
      const candidate = left.with(at, without(left[at] as Operation))
      if (await fails(candidate)) left = candidate
    }
  }
  return left
}

/** Each takes one field out of a request. */
function fieldsOf(operation: Operation): readonly ((operation: Operation) => Operation)[] {
  const name = (['request', 'watch', 'keepAlive'] as const).find((field) => field in operation)
  if (name === undefined) return []
  const request = (operation as Readonly<Record<string, Message>>)[name] ?? {}
  return Object.entries(request)
    .filter(([field]) => !kept.has(field))
    .map(([field]) => (from) => {
      const { [field]: _, ...rest } = (from as Readonly<Record<string, Message>>)[name] ?? {}
      return { ...from, [name]: rest } as Operation
    })
}
