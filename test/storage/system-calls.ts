/** What `strace -f -y` shows of the calls on files, read from its lines. */

/** A system call, with the lines in which it began and returned. */
export interface Call {
  readonly name: string
  readonly path: string
  /** What is known of its arguments. */
  readonly rest: string
  readonly began: number
  /** Infinite when it did not return. */
  ended: number
}

/** The calls in the order in which they began. A line may begin with its thread, as strace tells it with and without times. */
export function callsIn(lines: readonly string[]): Call[] {
  const calls: Call[] = []
  const unfinished = new Map<string, Call>()
  for (const [at, line] of lines.entries()) {
    const [, one, other, text = ''] = /^(?:(?:\[pid +(\d+)\]|(\d+) +[\d.]+) )?(.*)$/.exec(line) ?? []
    const thread = one ?? other ?? ''
    const [, name, path, rest] = /^(\w+)\((?:\d+|AT_FDCWD)<([^>]*)>(.*)/.exec(text) ?? []
    const returned = unfinished.get(thread)
    if (name !== undefined && path !== undefined && rest !== undefined) {
      const isOver = !rest.endsWith('<unfinished ...>')
      const call = { name, path, rest, began: at, ended: isOver ? at : Number.POSITIVE_INFINITY }
      calls.push(call)
      if (!isOver) unfinished.set(thread, call)
    } else if (returned !== undefined && text.startsWith(`<... ${returned.name} resumed>`)) {
      returned.ended = at
      unfinished.delete(thread)
    }
  }
  return calls
}
