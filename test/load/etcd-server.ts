/** A server of etcd's API that answers the questions of a bench as a test says, and puts at once. */
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js'
import { onTestFinished } from 'vitest'

/** The answer to a question. An error refuses it, and `undefined` leaves the question without an answer. */
export type Answer = Buffer | Error | undefined

export interface Answers {
  /** To a range of this key. */
  range(key: string): Answer
  members(): Answer
}

/** A response whose header has this term, below 128. */
export function responseOf(term: number): Buffer {
  return Buffer.from([0x0a, 2, 0x20, term])
}

/** A `MemberListResponse` of so many members, which have no fields. */
export function membersOf(count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => [0x12, 0]).flat())
}

const noBytes = Buffer.alloc(0)
const asItIs = (bytes: Buffer): Buffer => bytes
const unary = (path: string) => ({
  ...{ path, requestStream: false, responseStream: false },
  ...{ requestSerialize: asItIs, requestDeserialize: asItIs },
  ...{ responseSerialize: asItIs, responseDeserialize: asItIs },
})

const definition = {
  put: unary('/etcdserverpb.KV/Put'),
  range: unary('/etcdserverpb.KV/Range'),
  memberList: unary('/etcdserverpb.Cluster/MemberList'),
}

/** Resolves to the server's `host:port`. The server ends with the test. */
export async function serverThat({ range, members }: Answers): Promise<string> {
  const server = new Server()
  const method =
    (answer: (request: Buffer) => Answer) =>
    ({ request }: ServerUnaryCall<Buffer, Buffer>, told: sendUnaryData<Buffer>): void => {
      const given = answer(request)
      if (given instanceof Error) told({ code: status.UNIMPLEMENTED, details: given.message })
      else if (given !== undefined) told(null, given)
    }
  server.addService(definition, {
    put: method(() => noBytes),
    // The key of a `RangeRequest` stands behind its tag and its length.
    range: method((request) => range(request.toString('latin1', 2))),
    memberList: method(() => members()),
  })
  onTestFinished(() => server.forceShutdown())
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(`127.0.0.1:${port}`)
      else reject(error)
    })
  })
}
