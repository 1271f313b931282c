/** The shape of each message of the API in JSON, as the descriptors of the proto files tell it. */
import { fileURLToPath } from 'node:url'
import { loadSync, type MessageTypeDefinition, type MethodDefinition } from '@grpc/proto-loader'

/** Names in JSON are those of the proto files, which are lost once they are turned into camelCase. */
const named = loadSync(['rpc.proto', 'lock.proto', 'election.proto'], {
  includeDirs: [fileURLToPath(new URL('../../../../src/etcd/protos', import.meta.url))],
  keepCase: true,
  longs: String,
})

export interface Shape {
  readonly name: string
  /** In the order of the proto file, in which JSON has them too. */
  readonly fields: readonly Field[]
}

export interface Field {
  readonly name: string
  /** Accepted beside the name. */
  readonly camelName: string
  readonly isRepeated: boolean
  readonly type: FieldType
}

export type FieldType =
  | { readonly kind: 'bytes' | 'string' | 'bool' }
  | {
      readonly kind: 'integer'
      readonly name: string
      readonly min: bigint
      readonly max: bigint
    }
  | {
      readonly kind: 'enum'
      readonly name: string
      readonly numbers: ReadonlyMap<string, number>
      readonly names: ReadonlyMap<number, string>
    }
  /** A function, as a transaction may have transactions in it. */
  | { readonly kind: 'message'; readonly shape: () => Shape }

export type Message = Readonly<Record<string, unknown>>

/** A method: its shapes, and its messages with names as in JSON. */
export interface JsonMethod {
  readonly isRequestStream: boolean
  readonly isResponseStream: boolean
  readonly request: Shape
  readonly response: Shape
  encodeRequest(message: Message): Buffer
  decodeResponse(bytes: Buffer): Message
}

/** The method of a path of gRPC: `/etcdserverpb.KV/Range`. */
export function methodOf(path: string): JsonMethod {
  const [, service = '', name = ''] = path.split('/')
  const method = named[service]?.[name as keyof object] as MethodDefinition<Message, Message> | undefined
  if (method === undefined) throw new Error(`no proto file has the method ${path}`)
  const shapeIn = (type: Typed) => shapeOf(fullName(scopeOf(service), descriptorOf(type).name))
  return {
    isRequestStream: method.requestStream,
    isResponseStream: method.responseStream,
    request: shapeIn(method.requestType),
    response: shapeIn(method.responseType),
    encodeRequest: method.requestSerialize,
    decodeResponse: method.responseDeserialize,
  }
}

type Typed = Pick<MessageTypeDefinition<unknown, unknown>, 'type'>

/** The parts of protobuf's DescriptorProto and EnumDescriptorProto that are read here. */
interface Descriptor {
  readonly name: string
  readonly field: readonly {
    readonly name: string
    readonly label: string
    readonly type: string
    readonly typeName: string
  }[]
  readonly enumType: readonly EnumDescriptor[]
}
interface EnumDescriptor {
  readonly name: string
  readonly value: readonly { readonly name: string; readonly number: number }[]
}

const descriptorOf = <T = Descriptor>({ type }: Typed): T => type as T

const shapes = new Map<string, Shape>()

function shapeOf(name: string): Shape {
  const known = shapes.get(name)
  if (known !== undefined) return known
  const descriptor = descriptorOf(named[name] as Typed)
  const shape: Shape = {
    name,
    fields: descriptor.field.map((field) => ({
      name: field.name,
      camelName: field.name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
      isRepeated: field.label === 'LABEL_REPEATED',
      type: typeOf(field, name, descriptor),
    })),
  }
  shapes.set(name, shape)
  return shape
}

function typeOf(
  { type, typeName }: Descriptor['field'][number],
  message: string,
  { enumType }: Descriptor,
): FieldType {
  switch (type) {
    case 'TYPE_BYTES':
      return { kind: 'bytes' }
    case 'TYPE_STRING':
      return { kind: 'string' }
    case 'TYPE_BOOL':
      return { kind: 'bool' }
    case 'TYPE_INT32':
      return { kind: 'integer', name: 'int32', min: -(2n ** 31n), max: 2n ** 31n - 1n }
    case 'TYPE_UINT32':
      return { kind: 'integer', name: 'uint32', min: 0n, max: 2n ** 32n - 1n }
    case 'TYPE_INT64':
      return { kind: 'integer', name: 'int64', min: -(2n ** 63n), max: 2n ** 63n - 1n }
    case 'TYPE_UINT64':
      return { kind: 'integer', name: 'uint64', min: 0n, max: 2n ** 64n - 1n }
    case 'TYPE_ENUM': {
      const inner = enumType.find(({ name }) => name === typeName)
      if (inner !== undefined) return enumOf(`${message}_${typeName}`, inner)
      const name = fullName(scopeOf(message), typeName)
      return enumOf(name, descriptorOf<EnumDescriptor>(named[name] as Typed))
    }
    case 'TYPE_MESSAGE':
      return { kind: 'message', shape: () => shapeOf(fullName(scopeOf(message), typeName)) }
    default:
      throw new Error(`${message} has a field of ${type}, which no message of etcd has`)
  }
}

function enumOf(name: string, { value }: EnumDescriptor): FieldType {
  return {
    kind: 'enum',
    name,
    numbers: new Map(value.map((one) => [one.name, one.number])),
    names: new Map(value.map((one) => [one.number, one.name])),
  }
}

/** `etcdserverpb.KV` is in `etcdserverpb`. */
const scopeOf = (name: string): string => name.slice(0, name.lastIndexOf('.'))

/** A type of another package has its package in its name. */
const fullName = (scope: string, name: string): string => (name.includes('.') ? name : `${scope}.${name}`)
