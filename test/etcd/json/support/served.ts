/** A gateway on a port of its own. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createGateway, type GatewayOptions } from '../../../../src/etcd/json/gateway.js'

export interface ServedGateway extends AsyncDisposable {
  readonly address: string
  readonly options: GatewayOptions
}

export async function serveGateway(options: Partial<GatewayOptions> = {}): Promise<ServedGateway> {
  const all: GatewayOptions = {
    services: [],
    version: { etcdserver: '3.4.23', etcdcluster: '3.4.0' },
    isHealthy: async () => true,
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: '' }),
    bounds: { requestBytesMax: 2 * 1024 * 1024, bodyMs: 10_000, headersMs: 10_000 },
    ...options,
  }
  const gateway = createGateway(all)
  const sockets = new Set<Socket>()
  const door = createServer((socket) => {
    sockets.add(socket)
    gateway.emit('connection', socket)
  }).listen(0, '127.0.0.1')
  await once(door, 'listening')
  return {
    address: `127.0.0.1:${(door.address() as AddressInfo).port}`,
    options: all,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      door.close()
      await once(door, 'close')
    },
  }
}
