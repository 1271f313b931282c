/** Readers that ask and do not read. */
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, createConnection, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A server that answers by `answer`; returns its port. */
export async function answering(answer: (outgoing: ServerResponse, lastId: number) => void): Promise<number> {
  const server = createServer((request, response) =>
    answer(response, Number(request.headers['last-event-id'] ?? 0)),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** Asks, and reads nothing until it is resumed. */
export async function stuckReader(port: number): Promise<Socket> {
  const socket = createConnection(port, '127.0.0.1').pause()
  onTestFinished(() => void socket.destroy())
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
  return socket
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
