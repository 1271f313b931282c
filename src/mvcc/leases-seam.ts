/** The leases, as the store sees them. */
export interface Leases {
  has(id: bigint): boolean
  /** A key's new record is under the lease, which exists. Keys are told by their numbers. */
  attach(key: number, id: bigint): void
  /** The key is no longer under the lease: it was deleted, or put again. */
  detach(key: number, id: bigint): void
}
