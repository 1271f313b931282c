/**
 * The seal that clients of etcd put behind a snapshot which they have received: zeros up to a whole number of sectors, and
 * the SHA-256 of all bytes before it. Such a client takes a file without a seal for cut off.
 */
const sectorBytes = 512
export const sealBytes = 32

/** Zeros between a file of `size` bytes and its seal. */
export function sealPadding(size: number): number {
  return (sectorBytes - (size % sectorBytes)) % sectorBytes
}
