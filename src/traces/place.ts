/** Where traces go, from what a person gave and from the environment that OpenTelemetry's tools share. */
import { RaftError } from '../errors/index.js'
import type { Place } from './protocol.js'

type Environment = Readonly<Record<string, string | undefined>>

/** Whether the environment asks for traces. */
function isAskedFor(env: Environment): boolean {
  return Boolean(env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_ENDPOINT'])
}

/** An http or https URL, without a path that of OTLP, or a file. */
export function placeOf(to: string | undefined, env: Environment): Place {
  const refused = (expected: string): RaftError =>
    new RaftError('INVALID_OPTION', {
      option: 'to',
      expected,
      actual: to === undefined ? 'nothing' : `'${to}'`,
    })
  if (to === undefined && isAskedFor(env)) return { url: undefined }
  if (typeof to !== 'string' || to === '')
    throw refused('the URL of a collector, as http://127.0.0.1:4318, or a file')
  if (!/^[a-z][a-z\d+.-]+:\/\//i.test(to)) return { file: to }
  if (!URL.canParse(to) || !/^https?:$/.test(new URL(to).protocol))
    throw refused('an http or https URL of a collector, as http://127.0.0.1:4318, or a file')
  const url = new URL(to)
  if (url.pathname === '/') url.pathname = '/v1/traces'
  return { url: url.href }
}
