/** gRPC's own health service, as etcd has it: the server as a whole serves, and other names are unknown. */
import { once } from 'node:events'
import { EtcdError } from '../errors.js'
import type { Member } from '../member.js'
import { codecOf, definitionOf, type Service, serverStream, unary, undecoded } from './service.js'

const health = definitionOf('grpc.health.v1.Health')
const definition = undecoded(health)
const checks = codecOf<{ readonly service: string }>(health, 'Check')

const serving = checks.encode({ status: 1 })
const serviceUnknown = checks.encode({ status: 3 })

const isServer = (request: Buffer): boolean => checks.decode(request).service === ''

export function healthService(member: Member): Service {
  return {
    definition,
    implementation: {
      Check: unary(member, async (request) => {
        if (!isServer(request)) throw new EtcdError('unknownService')
        return serving
      }),
      // The status never changes, so that the stream says no more until the client leaves.
      Watch: serverStream(member, async function* (request, signal) {
        yield isServer(request) ? serving : serviceUnknown
        await aborted(signal)
      }),
    },
  }
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return signal.aborted ? Promise.resolve() : once(signal, 'abort')
}
