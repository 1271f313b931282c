import type { ClientDuplexStream } from '@grpc/grpc-js'
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader'
import { expect, test } from 'vitest'
import { protos } from '../../../src/etcd/protos.js'
import { startedEtcd } from '../support.js'
import { clientOf } from './support.js'

interface Answer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] }
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] }
  readonly errorResponse?: { readonly errorCode: number }
}

async function asked(questions: readonly object[]): Promise<Answer[]> {
  const { endpoints } = await startedEtcd({ nodes: 1 })
  const client = clientOf('grpc.reflection.v1alpha.ServerReflection', endpoints[0])
  const stream: ClientDuplexStream<object, Answer> = client['ServerReflectionInfo']?.()
  for (const question of questions) stream.write(question)
  stream.end()
  const answers: Answer[] = []
  for await (const answer of stream) answers.push(answer)
  return answers
}

const fileOf = ({ fileDescriptorResponse }: Answer): Buffer =>
  fileDescriptorResponse?.fileDescriptorProto[0] ?? Buffer.alloc(0)

test('a client without proto files learns of all services', async () => {
  const [answer] = await asked([{ listServices: '' }])
  const names = answer?.listServicesResponse?.service.map(({ name }) => name)
  expect(names?.sort()).toEqual(
    Object.keys(protos)
      .filter((name) => !('format' in (protos[name] ?? {})))
      .sort(),
  )
})

test('a client without proto files calls by the files that it is given', async () => {
  const files = (
    await asked([
      { fileContainingSymbol: 'etcdserverpb.KV' },
      { fileByFilename: 'mvccpb.proto' },
      { fileByFilename: 'authpb.proto' },
    ])
  ).map(fileOf)
  // A `FileDescriptorSet` has each file as field 1.
  const set = Buffer.concat(files.flatMap((file) => [Buffer.from([0x0a, ...lengthOf(file)]), file]))
  const range = loadFileDescriptorSetFromBuffer(set, { keepCase: true })['etcdserverpb.KV']
  expect(range).toMatchObject({ Range: { path: '/etcdserverpb.KV/Range' } })
})

test('a file names the files that it needs', async () => {
  const [answer] = await asked([{ fileContainingSymbol: 'etcdserverpb.RangeRequest.SortOrder' }])
  const file = fileOf(answer ?? {}).toString('latin1')
  expect(file).toContain('\x1a\x0cmvccpb.proto')
  expect(file).toContain('\x1a\x0cauthpb.proto')
  expect(file).not.toContain('\x1a\x0ev3lockpb.proto')
  // As the proto file has it.
  expect(file).toContain('range_end')
})

test('an unknown name is not found, and the stream goes on', async () => {
  const answers = await asked([
    { fileByFilename: 'other.proto' },
    { fileContainingSymbol: 'etcdserverpb.Other' },
    { allExtensionNumbersOfType: 'Other' },
    { fileContainingSymbol: 'etcdserverpb.KV.Range' },
  ])
  expect(answers.map(({ errorResponse }) => errorResponse?.errorCode)).toEqual([5, 5, 5, undefined])
})

function lengthOf({ byteLength }: Buffer): number[] {
  const bytes: number[] = []
  let rest = byteLength
  for (; rest > 0x7f; rest >>= 7) bytes.push((rest & 0x7f) | 0x80)
  return [...bytes, rest]
}
