/** The place to which traces go: the one that a person gave, or the one that the environment of OpenTelemetry's tools names. */
import { RaftError } from '../errors/index.js'
import type { Place } from './protocol.js'

type Environment = Readonly<Record<string, string | undefined>>

/** Whether the environment asks for traces. OpenTelemetry reads a blank variable as one that is not set. */
export function areTracesAskedFor(env: Environment): boolean {
  const endpoints = [env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'], env['OTEL_EXPORTER_OTLP_ENDPOINT']]
  return endpoints.some((endpoint = '') => endpoint.trim() !== '')
}

/** An http or https URL, or a file. A URL without a path gets the path of OTLP. */
export function placeOf(to: string | undefined, env: Environment): Place {
  const refused = (expected: string): RaftError =>
    new RaftError('INVALID_OPTION', {
      option: 'to',
      expected,
      actual: to === undefined ? 'nothing' : `'${to}'`,
    })
  if (to === undefined && areTracesAskedFor(env)) return { url: undefined }
  if (typeof to !== 'string' || to === '')
    throw refused('the URL of a collector, as http://127.0.0.1:4318, or a file')
  if (/^[^/\\]+:\d+(\/|$)/.test(to)) throw refused(`the URL of a collector with its scheme, as http://${to}`)
  if (!/^[a-z][a-z\d+.-]+:\/\//i.test(to)) return { file: to }
  if (!URL.canParse(to) || !/^https?:$/.test(new URL(to).protocol))
    throw refused('an http or https URL of a collector, as http://127.0.0.1:4318, or a file')
  const url = new URL(to)
  if (url.pathname === '/') url.pathname = '/v1/traces'
  return { url: url.href }
}
