/** What can be typed in the sandbox. Each command prints its answer, or throws. */
import { type Cluster, type NodeState, type NodeStatus, RaftError } from '../cluster/index.js'
import { BadInput, counted, decimal, Failed, paint, printable, table } from '../terminal/index.js'

export interface Session {
  readonly cluster: Cluster
  print(text: string): void
  showsEvents: boolean
}

interface SandboxCommand {
  /** As shown by `help`; capitals stand for what is given. */
  readonly usage: string
  readonly explanation: string
  /** How many words may follow; the last one takes the rest of the line. */
  readonly words: readonly [least: number, most: number]
  run(session: Session, words: readonly string[]): Promise<void> | void
}

const commands: Record<string, SandboxCommand> = {
  status: {
    usage: 'status',
    explanation: 'every node: its role and how far its log is',
    words: [0, 0],
    run: ({ cluster, print }) => print(statusTable(cluster)),
  },
  put: {
    usage: 'put KEY VALUE',
    explanation: 'the value is the rest of the line',
    words: [2, 2],
    async run({ cluster, print }, [key = '', value = '']) {
      const { index, revision } = await cluster.put(key, value)
      print(`applied at index ${index}, revision ${revision}`)
    },
  },
  get: {
    usage: 'get KEY',
    explanation: 'a linearizable read',
    words: [1, 1],
    async run({ cluster, print }, [key = '']) {
      const entry = await cluster.get(key)
      if (entry === undefined) return print(absent(key))
      const { value, version, modRevision } = entry
      print(`${printable(value)} (version ${version}, last put at revision ${modRevision})`)
    },
  },
  delete: {
    usage: 'delete KEY',
    explanation: '',
    words: [1, 1],
    async run({ cluster, print }, [key = '']) {
      const { index, deleted } = await cluster.delete(key)
      print(deleted ? `deleted at index ${index}` : absent(key))
    },
  },
  range: {
    usage: 'range [PREFIX]',
    explanation: 'up to 1000 keys that begin with PREFIX, in order',
    words: [0, 1],
    async run({ cluster, print }, [prefix]) {
      const { entries, hasMore } = await cluster.range(prefix === undefined ? {} : { prefix })
      for (const { key, value } of entries) print(`${printable(key)} ${printable(value)}`)
      print(`${counted(entries.length, 'key')}${hasMore ? ', and more' : ''}`)
    },
  },
  kill: {
    usage: 'kill NODE|leader',
    explanation: 'ends a node at once, as a crash would',
    words: [1, 1],
    async run({ cluster, print }, [node = '']) {
      if (node === 'leader' && cluster.leaderId === undefined) throw new Failed('nobody leads at the moment')
      const killed = await cluster.kill(node === 'leader' ? 'leader' : nodeOf(cluster, node).nodeId)
      print(`killed node ${killed}`)
    },
  },
  restart: {
    usage: 'restart NODE [renew]',
    explanation: 'starts a killed node again, from its disk; renew: anew if it is lost',
    words: [1, 2],
    async run({ cluster, print }, [node = '', renew]) {
      if (renew !== undefined && renew !== 'renew') throw new BadInput(`restart: give renew, not '${renew}'`)
      const { nodeId, state } = nodeOf(cluster, node)
      if (state === 'running') throw new Failed(`node ${nodeId} runs already`)
      await cluster.restart(nodeId, { renew: renew === 'renew' })
      print(`node ${node} runs again`)
    },
  },
  events: {
    usage: 'events on|off',
    explanation: 'whether to tell what happens, and why (at first: on)',
    words: [1, 1],
    run(session, [word = '']) {
      if (word !== 'on' && word !== 'off') throw new BadInput(`events: give on or off, not '${word}'`)
      session.showsEvents = word === 'on'
    },
  },
  help: {
    usage: 'help',
    explanation: 'this list',
    words: [0, 0],
    run: ({ print }) =>
      print(
        table(
          [...Object.values(commands), quit].map(({ usage, explanation }) => [
            usage.padEnd(20),
            explanation.padEnd(68),
          ]),
        ),
      ),
  },
}

function absent(key: string): string {
  return `there is no key ${printable(key)}`
}

const quit = { usage: 'quit', explanation: 'ends the sandbox; so does the end of the input' }

/** Runs one line; returns whether to go on. Throws `BadInput` for what is no command. */
export async function runLine(session: Session, line: string): Promise<boolean> {
  // Any other space is a part of a key or a value.
  const [name = '', ...rest] = line.split(/[ \t]+/).filter((word) => word !== '')
  if (name === '') return true
  if (name === 'quit' || name === 'exit') return false
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) throw new BadInput(`there is no command '${name}'; help lists all`)
  const [least, most] = command.words
  if (rest.length < least || (rest.length > most && name !== 'put'))
    throw new BadInput(`usage: ${command.usage}`)
  await command.run(session, name === 'put' ? [rest[0] ?? '', textAfterKey(line)] : rest)
  return true
}

/** What follows the key of a put, with the spaces as they were typed. */
function textAfterKey(line: string): string {
  return line.replace(/^[ \t]*[^ \t]+[ \t]+[^ \t]+[ \t]/, '')
}

function nodeOf(cluster: Cluster, text: string): NodeStatus {
  const status = cluster.status()
  const node = status.find(({ nodeId }) => String(nodeId) === text)
  if (node !== undefined) return node
  throw new BadInput(
    `there is no node '${text}'; give one of ${status.map(({ nodeId }) => nodeId).join(', ')}`,
  )
}

const stateColours: Record<NodeState, (text: string) => string> = {
  running: paint.green,
  stopped: paint.dim,
  failed: paint.red,
}

export function statusTable(cluster: Cluster): string {
  const header = ['node', 'state', 'role', 'term', 'leader', 'last', 'commit', 'applied', 'log bytes']
  const rows = cluster.status().map((node) => {
    const isRunning = node.state === 'running'
    return [
      String(node.nodeId),
      stateColours[node.state](node.state),
      isRunning ? node.role : '-',
      String(node.currentTerm),
      isRunning && node.leaderId !== undefined ? String(node.leaderId) : '-',
      decimal(node.lastIndex),
      decimal(node.commitIndex),
      decimal(node.lastApplied),
      decimal(node.logBytes),
    ]
  })
  return table([header.map((cell) => paint.dim(cell)), ...rows])
}

/** What is told about a call that failed; an unknown outcome is never told as a failure. */
export function verdictOf(error: unknown): string {
  if (error instanceof RaftError && error.mayHaveHappened === 'no' && error.isRetryable)
    return 'not applied: '
  return ''
}
