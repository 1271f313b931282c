/**
 * What the system still lets this process take. Where nothing is limited, or the system does not tell (it does on
 * Linux), the answer is Infinity. Native code that is refused memory or a descriptor often ends the process, so these
 * are looked at first.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** Bytes of address space below the limit that `ulimit -v` sets. */
export function addressSpaceLeft(): number {
  const limit = limitOf('Max address space')
  if (limit === Number.POSITIVE_INFINITY) return limit
  const kibibytes = /^VmSize:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  return limit - Number(kibibytes) * 1024
}

/** What one more thread of JavaScript takes at most, on any Node from 20 to 26, and what the rest of the process needs. */
export const threadMib = 1024
export const reserveMib = 512

/** Threads of JavaScript for which there is address space. */
export function threadsThatFit(): number {
  return Math.max(0, Math.floor((addressSpaceLeft() / 2 ** 20 - reserveMib) / threadMib))
}

/** The address space is used up. Whoever reads the message can mend that. */
export function addressSpaceError(needed: number, left: number): Error {
  const [neededMib, leftMib] = [Math.ceil(needed / 2 ** 20), Math.max(0, Math.floor(left / 2 ** 20))]
  return new Error(
    `address space full: the log cannot be mapped, ${neededMib} MiB are needed, and ${leftMib} MiB are left; raise the limit (ulimit -v), or make logBytesMax or the number of nodes smaller`,
  )
}

/** File descriptors below the limit that `ulimit -n` sets. */
export function descriptorsLeft(): number {
  const limit = limitOf('Max open files')
  return limit === Number.POSITIVE_INFINITY ? limit : limit - readdirSync('/proc/self/fd').length
}

/** The limit that holds now, the soft one. */
function limitOf(name: string): number {
  if (process.platform !== 'linux') return Number.POSITIVE_INFINITY
  const limit = new RegExp(`^${name} +(\\d+)`, 'm').exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit)
}
