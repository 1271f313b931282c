/** Paths that a caller gives. */
import { fileURLToPath } from 'node:url'
import { RaftError } from '../errors/index.js'

/** The path of a file or a folder. `path` is a path or the text of a URL; `option` names what the caller gave. */
export function pathOf(option: string, path: unknown): string {
  // The system ends a path at a zero byte, and Node throws at one.
  if (typeof path !== 'string' || path === '' || path.includes('\0')) throw noPath(option, 'a path', path)
  if (!path.startsWith('file:')) return path
  try {
    return fileURLToPath(path)
  } catch {
    throw noPath(option, 'a path, or the URL of a file on this machine', path)
  }
}

function noPath(option: string, expected: string, path: unknown): RaftError {
  const actual = typeof path === 'string' ? JSON.stringify(path) : typeof path
  return new RaftError('INVALID_OPTION', { option, expected, actual })
}
