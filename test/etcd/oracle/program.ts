/**
 * Programs of operations. A revision or a lease that only the server knows is written as a name, and each server's own
 * number takes its place when the operation runs.
 */
import type { Message } from './client.js'

/** A revision: so many after the one that the name means. */
export interface RevisionName {
  readonly revision: 'now' | 'start' | 'compacted'
  readonly plus: number
}

/** The lease that was last granted into a slot. A slot without a lease means a lease that was never granted. */
export interface LeaseName {
  readonly leaseIn: number
}

/** The member that is asked, or the last that was added into a slot. A slot without one means a member that never was. */
export interface MemberName {
  readonly member: 'self' | number
}

/** The peer URL at which the member of a slot is started. */
export interface PeerUrlName {
  readonly peerUrl: number
}

/** So many bytes of a value, which would be long to print. */
export interface Filling {
  readonly bytes: number
}

export type Operation =
  /** A request and its answer. A granted lease, or an added member, goes into the slot. */
  | { readonly call: string; readonly request: Message; readonly slot?: number }
  | Garble
  | { readonly keepAlive: Message }
  /** Creates a watch on one of the streams, under a name by which it is cancelled. */
  | { readonly watch: Message; readonly on: number; readonly as: number }
  | { readonly cancel: number }
  /** Cancels a watch by an id that the server may never have given. */
  | { readonly cancelId: string; readonly on: number }
  | { readonly progress: number }

/** A request whose encoded bytes are changed on the way. */
export interface Garble {
  readonly garble: string
  readonly request: Message
  readonly changes: readonly Change[]
}

export type Program = readonly Operation[]

/** `at` is a part of the whole length, from 0 to 1. */
export type Change =
  | { readonly cutAt: number }
  | { readonly at: number; readonly set: number }
  | { readonly at: number; readonly insert: number }

/** The meanings of a server's names at this moment. */
export interface Meanings {
  revision(name: RevisionName): number
  lease(slot: number): string
  member(name: MemberName): string
  peerUrl(slot: number): string
}

/** The request with numbers for names. */
export function resolve(template: unknown, meanings: Meanings): unknown {
  if (typeof template !== 'object' || template === null || template instanceof Uint8Array) return template
  if (Array.isArray(template)) return template.map((item) => resolve(item, meanings))
  if ('revision' in template && 'plus' in template) return meanings.revision(template as RevisionName)
  if ('leaseIn' in template) return meanings.lease((template as LeaseName).leaseIn)
  if ('member' in template) return meanings.member(template as MemberName)
  if ('peerUrl' in template) return meanings.peerUrl((template as PeerUrlName).peerUrl)
  if ('bytes' in template) return Buffer.alloc((template as Filling).bytes, 'v')
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, resolve(value, meanings)]))
}

export function garbled(bytes: Buffer, changes: readonly Change[]): Buffer {
  return changes.reduce((whole, change) => {
    if ('cutAt' in change) return whole.subarray(0, Math.floor(change.cutAt * whole.length))
    const at = Math.floor(change.at * whole.length)
    const rest = whole.subarray('set' in change ? at + 1 : at)
    return Buffer.concat([
      whole.subarray(0, at),
      Buffer.from(['set' in change ? change.set : change.insert]),
      rest,
    ])
  }, bytes)
}

/** Text for people: bytes as text with escapes. */
export function show(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    const bytes = bytesOf(item)
    if (bytes === undefined) return item
    return bytes.length > 60 ? `(${bytes.length} bytes)` : bytes.toString('latin1')
  })
}

/** `toJSON` of a Buffer has run before the replacer sees it. */
function bytesOf(item: unknown): Buffer | undefined {
  if (item instanceof Uint8Array) return Buffer.from(item)
  if (typeof item !== 'object' || item === null || !('type' in item) || item.type !== 'Buffer')
    return undefined
  return Buffer.from((item as unknown as { data: number[] }).data)
}

/** Reads change nothing, so many of them can be under way at once. */
export function isRead(operation: Operation): boolean {
  if (!('call' in operation)) return false
  return [
    'KV/Range',
    'Lease/LeaseTimeToLive',
    'Lease/LeaseLeases',
    'Cluster/MemberList',
    'Maintenance/Status',
  ].includes(operation.call)
}
