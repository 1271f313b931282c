/** Debian's etcdctl, as a user at a shell runs it. */
import { spawn } from 'node:child_process'

export interface Ended {
  readonly code: number | null
  readonly out: string
  /** Without what the client library logs. */
  readonly error: string
}

/** Runs etcdctl with these endpoints, and gives it `input`. */
export function etcdctl(endpoints: readonly string[], args: readonly string[], input = ''): Promise<Ended> {
  const hosts = endpoints.map((endpoint) => endpoint.replace('http://', '')).join(',')
  // By itself it gives up after five seconds, which a busy machine may need to start a member.
  const child = spawn('etcdctl', [`--endpoints=${hosts}`, '--command-timeout=60s', ...args], {
    env: { PATH: process.env['PATH'], ETCDCTL_API: '3' },
  })
  const out: Buffer[] = []
  const error: Buffer[] = []
  child.stdout.on('data', (bytes: Buffer) => out.push(bytes))
  child.stderr.on('data', (bytes: Buffer) => error.push(bytes))
  child.stdin.on('error', () => undefined).end(input)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      const lines = Buffer.concat(error).toString().split('\n')
      resolve({
        code,
        out: Buffer.concat(out).toString(),
        error: lines.filter((line) => !line.startsWith('{"level"')).join('\n'),
      })
    })
  })
}
