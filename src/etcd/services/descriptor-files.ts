/** Descriptors of proto files, found by the names of the files and of what the files define. */

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
      const dependencies = needed.map((other) => textField(file.dependency, other.name))
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
  const fields = fieldsOf(bytes)
  const within = textOf(fields, file.package)
  const symbols = new Set<string>()
  const types: string[] = []
  const readMessage = (scope: string, fieldsOfMessage: Fields): void => {
    const name = named(scope, fieldsOfMessage, message.name)
    symbols.add(name)
    for (const field of all(fieldsOfMessage, message.fields)) types.push(textOf(field, messageField.typeName))
    for (const nested of all(fieldsOfMessage, message.messages)) readMessage(name, nested)
    for (const nested of all(fieldsOfMessage, message.enums)) symbols.add(named(name, nested, message.name))
  }
  for (const each of all(fields, file.messages)) readMessage(within, each)
  for (const each of all(fields, file.enums)) symbols.add(named(within, each, message.name))
  const services = all(fields, file.services).map((each) => {
    const name = named(within, each, service.name)
    for (const method of all(each, service.methods)) symbols.add(named(name, method, message.name))
    symbols.add(name)
    return name
  })
  return { name: textOf(fields, file.name), services, symbols, types }
}

function named(scope: string, fields: Fields, field: number): string {
  return `${scope}.${textOf(fields, field)}`
}

function absolute(type: string): string {
  return type.startsWith('.') ? type.slice(1) : type
}

/** The byte strings of a message, each with the number of its field. */
type Fields = readonly { readonly field: number; readonly bytes: Buffer }[]

function all(fields: Fields, wanted: number): Fields[] {
  return fields.filter(({ field }) => field === wanted).map(({ bytes }) => fieldsOf(bytes))
}

function textOf(fields: Fields, wanted: number): string {
  return fields.find(({ field }) => field === wanted)?.bytes.toString() ?? ''
}

/** Descriptors have varints and byte strings only. */
function fieldsOf(bytes: Buffer): Fields {
  const fields: { field: number; bytes: Buffer }[] = []
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let unit = 1; ; unit *= 0x80) {
      const byte = bytes[at++] ?? 0
      value += (byte & 0x7f) * unit
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.byteLength) {
    const tag = varint()
    const value = varint()
    if ((tag & 7) === 0) continue
    fields.push({ field: tag >>> 3, bytes: bytes.subarray(at, at + value) })
    at += value
  }
  return fields
}

/** A name of at most 127 bytes. */
function textField(field: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([(field << 3) | 2, Buffer.byteLength(text)]), Buffer.from(text)])
}
