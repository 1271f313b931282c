/** Traces from the command line: where they go, and what is told of them. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type Sent, spansIn, startedCollector } from '../traces/collector.js'
import { lastLine, run, temporaryFolder } from './raftbox.js'

const sandbox = ['sandbox', '--nodes', '1', '--page', 'off']
const summary =
  /^raftbox: traces of (\S+) commands?: (\S+) spans? sent, 0 dropped; 0 commands more without a trace$/m

/** Variables of the environment, for the length of a test. */
function setVariables(variables: Readonly<Record<string, string>>): void {
  Object.assign(process.env, variables)
  onTestFinished(() => {
    for (const name of Object.keys(variables)) delete process.env[name]
  })
}

test('a file of traces has a line of OTLP a batch, and the commands of the session', async () => {
  const file = join(temporaryFolder(), 'traces.jsonl')
  const { code, stderr } = await run([...sandbox, '--trace', file], 'put a 1\nput b 2\nget a\n')
  expect(code).toBe(0)
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  const spans = lines.flatMap((line) => spansIn(JSON.parse(line) as Sent))
  expect(spans.filter(({ name }) => name === 'command')).toHaveLength(2)
  expect(spans.filter(({ name }) => name === 'election')).toHaveLength(1)
  expect(summary.exec(stderr)?.slice(1, 3)).toEqual(['2', String(spans.length)])
})

test('the environment of OpenTelemetry says where traces go, and with which headers', async () => {
  const { url, requests, spans } = await startedCollector()
  setVariables({
    // A blank variable is as good as none.
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: '',
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_HEADERS: 'tenant=own',
  })
  const { code, stderr } = await run(sandbox, 'put a 1\n')
  expect([code, summary.test(stderr)]).toEqual([0, true])
  expect(requests[0]).toMatchObject({ url: '/v1/traces', headers: { tenant: 'own' } })
  expect(spans.some(({ name, service }) => name === 'applied' && service === 'raftbox node 1')).toBe(true)
})

test('a bench traces the share that its flag says, and nothing that the environment says', async () => {
  const file = join(temporaryFolder(), 'traces.jsonl')
  setVariables({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' })
  const small = ['bench', '--nodes', '1', '--clients', '2', '--seconds', '0.3', '--json']
  const silent = await run(small)
  expect([silent.code, silent.stderr]).toEqual([0, ''])
  const { code, stdout, stderr } = await run([...small, '--trace', file, '--trace-share', '50%'])
  expect(code).toBe(0)
  const commands = readFileSync(file, 'utf8').match(/"name":"command"/g)?.length ?? 0
  expect(Number(summary.exec(stderr)?.[1]?.replaceAll(',', ''))).toBe(commands)
  expect(commands).toBeGreaterThan(Number(lastLine(stdout)['commits']) / 4)
})

test.each([
  [
    'a share of too much',
    ['--trace', 'x', '--trace-share', '101%'],
    '--trace-share: give a percentage from 0% to 100%',
  ],
  ['a share of no percents', ['--trace', 'x', '--trace-share', '0.5'], "as in 1%, not '0.5'"],
  ['a share of nothing', ['--trace-share', '1%'], '--trace-share: say with --trace where the traces go'],
  ['a place that cannot be written', ['--trace', '/not/there/x'], '--trace: /not/there/x cannot be written'],
  ['a place of another protocol', ['--trace', 'ftp://x'], '--trace: to: an http or https URL of a collector'],
  [
    'a collector without its scheme',
    ['--trace', 'localhost:4318'],
    '--trace: to: the URL of a collector with its scheme, as http://localhost:4318',
  ],
  ['no place', ['--trace', ''], '--trace: give the URL of a collector'],
])('%s is refused in one line', async (_, flags, line) => {
  const { code, stdout, stderr } = await run([...sandbox, ...flags])
  expect([code, stdout, stderr.trimEnd().split('\n').length]).toEqual([2, '', 1])
  expect(stderr).toContain(line)
  expect(existsSync('localhost:4318')).toBe(false)
})
