/** Runs the command line, and lets one of its system calls fail or end the process. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { program } from './raftbox.js'

export const canInject =
  spawnSync('strace', ['-f', '-e', 'inject=fsync:error=EIO:when=9', 'true']).status === 0

/** `how` is an effect as strace names it; the call is the one of this number among those of its thread. */
export function runBroken(
  args: readonly string[],
  calls: string,
  how: string,
  number: number,
): SpawnSyncReturns<string> {
  const inject = `inject=${calls}:${how}:when=${number}`
  const trace = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', inject]
  return spawnSync('strace', [...trace, process.execPath, program, ...args], { encoding: 'utf8' })
}

export const renames = 'rename,renameat,renameat2'
