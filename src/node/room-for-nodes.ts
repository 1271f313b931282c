/**
 * Whether the system lets this process take what nodes need. A thread that is refused address space ends the whole
 * process, and one that is refused a descriptor fails in the middle of its start, so the cluster asks first.
 */
import { RaftError } from '../errors/index.js'
import { addressSpaceLeft, descriptorsLeft, reserveMib, threadMib } from '../storage/index.js'

/** The most that a node takes while it starts, on any Node from 20 to 26: its thread opens many modules at a time. */
const needs = {
  threads: { addressMib: threadMib, descriptors: 56 },
  inline: { addressMib: 64, descriptors: 5 },
} as const

/** Left to everything else in the process. */
const reserve = { addressMib: reserveMib, descriptors: 4 } as const

/** Throws when so many more nodes do not fit, and then says what to change. */
export function checkRoomForNodes(nodes: number, host: keyof typeof needs): void {
  const addressMib = nodes * needs[host].addressMib + reserve.addressMib
  check(nodes, host, 'MiB of address space', 'ulimit -v', addressMib, addressSpaceLeft() / 2 ** 20)
  const descriptors = nodes * needs[host].descriptors + reserve.descriptors
  check(nodes, host, 'file descriptors', 'ulimit -n', descriptors, descriptorsLeft())
}

function check(
  nodes: number,
  host: keyof typeof needs,
  what: string,
  limit: string,
  needed: number,
  left: number,
): void {
  if (left >= needed) return
  const remedy =
    host === 'threads'
      ? 'start fewer nodes, or run all in one thread with host inline'
      : 'or start fewer nodes'
  throw new RaftError('INVALID_OPTION', {
    option: 'nodes',
    expected: `${needed} ${what} for ${nodes} more (raise the limit with ${limit}, ${remedy})`,
    actual: `the ${Math.max(0, Math.floor(left))} that are left`,
  })
}
