/** Clients of whole services, with their streams, and how tests read refusals. */
import { credentials, makeClientConstructor, type ServiceDefinition } from '@grpc/grpc-js'
import { onTestFinished } from 'vitest'
import { protos } from '../../../src/etcd/protos.js'

export type ServiceClient = InstanceType<ReturnType<typeof makeClientConstructor>>

/** `service` as in `etcdserverpb.KV`. */
export function clientOf(service: string, endpoint = ''): ServiceClient {
  const serviceClient = makeClientConstructor(protos[service] as ServiceDefinition, service)
  const client = new serviceClient(new URL(endpoint).host, credentials.createInsecure())
  onTestFinished(() => client.close())
  return client
}

/** The code and the text of a call that is refused. */
export async function refusal(
  call: Promise<unknown>,
): Promise<{ code: number; details: string } | undefined> {
  try {
    await call
    return undefined
  } catch (error) {
    const { code, details } = error as { code: number; details: string }
    return { code, details }
  }
}
