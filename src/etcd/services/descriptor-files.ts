/** Descriptors of proto files, found by the names of the files and of what the files define. */
import { Memory } from '../../machine/index.js'
import { fieldOf, Reader } from '../../mvcc/index.js'

/** Fields of the messages in `descriptor.proto`. */
const file = { name: 1, package: 2, dependency: 3, messages: 4, enums: 5, services: 6 }
const message = { name: 1, fields: 2, messages: 3, enums: 4 }
const messageField = { typeName: 6 }
const service = { name: 1, methods: 2 }

export class DescriptorFiles {
  /** Full names of all services. */
  readonly services: readonly string[]
  readonly #files = new Map<string, Buffer>()
  readonly #fileOfSymbol = new Map<string, string>()

  /** `descriptors`: a `FileDescriptorProto` each, one a package. Files name no other file: the dependencies are added. */
  constructor(descriptors: readonly Buffer[]) {
    const read = descriptors.map((bytes) => ({ bytes, ...readFile(bytes) }))
    this.services = read.flatMap(({ services }) => services)
    for (const { bytes, name, symbols, types } of read) {
      const needed = read.filter(
        (other) => other.name !== name && types.some((type) => other.symbols.has(absolute(type))),
      )
      const dependencies = needed.map((other) => fieldOf(file.dependency, Buffer.from(other.name)))
      this.#files.set(name, Buffer.concat([bytes, ...dependencies]))
      for (const symbol of symbols) this.#fileOfSymbol.set(symbol, name)
    }
  }

  named(name: string): Buffer | undefined {
    return this.#files.get(name)
  }

  containing(symbol: string): Buffer | undefined {
    return this.named(this.#fileOfSymbol.get(symbol) ?? '')
  }
}

interface FileRead {
  readonly name: string
  readonly services: readonly string[]
  /** Full names of all that the file defines. */
  readonly symbols: ReadonlySet<string>
  /** Names of the types of fields: full, or as they are known in the file's package. */
  readonly types: readonly string[]
}

function readFile(bytes: Buffer): FileRead {
  const within = textOf(bytes, file.package)
  const symbols = new Set<string>()
  const types: string[] = []
  const readMessage = (scope: string, descriptor: Buffer): void => {
    const name = named(scope, descriptor, message.name)
    symbols.add(name)
    for (const field of all(descriptor, message.fields)) types.push(textOf(field, messageField.typeName))
    for (const nested of all(descriptor, message.messages)) readMessage(name, nested)
    for (const nested of all(descriptor, message.enums)) symbols.add(named(name, nested, message.name))
  }
  for (const each of all(bytes, file.messages)) readMessage(within, each)
  for (const each of all(bytes, file.enums)) symbols.add(named(within, each, message.name))
  const services = all(bytes, file.services).map((each) => {
    const name = named(within, each, service.name)
    for (const method of all(each, service.methods)) symbols.add(named(name, method, message.name))
    symbols.add(name)
    return name
  })
  return { name: textOf(bytes, file.name), services, symbols, types }
}

function named(scope: string, descriptor: Buffer, field: number): string {
  return `${scope}.${textOf(descriptor, field)}`
}

function absolute(type: string): string {
  return type.startsWith('.') ? type.slice(1) : type
}

function textOf(descriptor: Buffer, field: number): string {
  return all(descriptor, field)[0]?.toString() ?? ''
}

/** The texts or messages of one field, in their order. */
function all(descriptor: Buffer, field: number): Buffer[] {
  const found: Buffer[] = []
  const reader = new Reader(new Memory(descriptor))
  while (reader.next()) {
    if (reader.field !== field) {
      reader.skip()
      continue
    }
    const { start, end } = reader.bytes()
    found.push(descriptor.subarray(start, end))
  }
  return found
}
