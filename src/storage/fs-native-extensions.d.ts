/** The package has no types of its own; these are the parts that are used. */
declare module 'fs-native-extensions' {
  /** Takes an exclusive lock on an open file. False when another open file holds it. Throws where the file system has no locks. */
  export function tryLock(descriptor: number): boolean
}
