/**
 * JSON and messages, each made from the other by the shape of the message, as etcd's gateway does: bytes in base64,
 * numbers of 64 bits as strings, enums by name, defaults left out, names as in the proto files.
 */
import { randomUUID } from 'node:crypto'
import type { Field, FieldType, Message, Shape } from './shapes.js'

/** Tells a client what is wrong with its JSON. */
export class JsonError extends Error {}

/** The value that `JSON.parse` gave, with numbers as `exactNumbers` leaves them. */
export type Json = unknown

/**
 * The name under which an object holds the text of a number. A client cannot know the name, so no object of a request is
 * taken for a number.
 */
const numberName = randomUUID().slice(0, 8)
/** A number may be of one of these kinds: it is long, or has a fraction or an exponent. */
const textCounts = /\d{16}|\d[.eE]/
/** A string or a number. Strings come first, so that no number in a string is taken for one. */
const stringOrNumber = /"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g
/** A number that `JSON.parse` gives as it is written: JavaScript numbers hold 15 digits. */
const shortInteger = /^-?\d{1,15}$/

/**
 * `JSON.parse` rounds long numbers, and ids of leases and members are long. It also makes 1 of `1.0` and of `1e0`, which Go
 * takes for no integers. So each number whose text counts becomes an object that holds the text.
 */
function exactNumbers(text: string): string {
  if (!textCounts.test(text)) return text
  return text.replace(stringOrNumber, (found) =>
    found.startsWith('"') || shortInteger.test(found) ? found : `{"${numberName}":"${found}"}`,
  )
}

/** The text of a number. `undefined`: the value is no number. */
function numberText(json: Json): string | undefined {
  if (typeof json === 'number') return String(json)
  if (typeof json !== 'object' || json === null) return undefined
  return (json as Readonly<Record<string, string>>)[numberName]
}

/** Reads one message. A name that the message does not have is passed over, and `null` means nothing at all. */
export function parseMessage(shape: Shape, text: string): Message {
  let json: Json
  try {
    json = JSON.parse(exactNumbers(text))
  } catch (error) {
    throw new JsonError(`no JSON: ${(error as Error).message}`)
  }
  return json === null ? {} : messageOf(shape, json, shape.name)
}

function messageOf(shape: Shape, json: Json, where: string): Message {
  if (!isObject(json)) throw new JsonError(`${where} is ${told(json)}, not an object`)
  const message: Record<string, unknown> = {}
  for (const field of shape.fields) {
    const value = json[field.camelName] ?? json[field.name]
    if (value === undefined || value === null) continue
    const read = fieldOf(field, value)
    // etcd takes an end of a range that is there and empty for the end of all keys. Its own gateway never sends one.
    if (field.isRepeated || !isDefault(field.type, read)) message[field.name] = read
  }
  return message
}

function fieldOf({ name, isRepeated, type }: Field, json: Json): unknown {
  if (!isRepeated) return readValue(type, json, name)
  if (!Array.isArray(json)) throw new JsonError(`${name} is ${told(json)}, not a list`)
  return json.map((value: Json, at) => readValue(type, value, `${name}[${at}]`))
}

function readValue(type: FieldType, json: Json, where: string): unknown {
  switch (type.kind) {
    case 'bytes':
      return bytesOf(json, where)
    case 'string':
      if (typeof json === 'string') return json
      throw new JsonError(`${where} is ${told(json)}, not a string`)
    case 'bool':
      if (typeof json === 'boolean') return json
      throw new JsonError(`${where} is ${told(json)}, not true or false`)
    case 'integer':
      return integerOf(type, json, where)
    case 'enum':
      return enumOf(type, json, where)
    case 'message':
      return messageOf(type.shape(), json, where)
  }
}

function bytesOf(json: Json, where: string): Buffer {
  if (Array.isArray(json)) return Buffer.from(json.map((value, at) => byteOf(value, `${where}[${at}]`)))
  // As Go reads base64: line breaks do not count, and the padding has to be there.
  const text = typeof json === 'string' ? json.replace(/[\r\n]/g, '') : undefined
  if (text === undefined || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
    throw new JsonError(`${where} is ${told(json)}, not bytes in base64`)
  return Buffer.from(text, 'base64')
}

function byteOf(json: Json, where: string): number {
  if (json === null) return 0
  if (typeof json === 'number' && json >= 0 && json <= 255) return json
  throw new JsonError(`${where} is ${told(json)}, not a byte`)
}

function integerOf(type: FieldType & { kind: 'integer' }, json: Json, where: string): string {
  const text = typeof json === 'string' ? json : (numberText(json) ?? '')
  if (/^ *-?(?:0|[1-9]\d{0,19}) *$/.test(text)) {
    const number = BigInt(text)
    if (number >= type.min && number <= type.max) return String(number)
  }
  throw new JsonError(`${where} is ${told(json)}, not a number of type ${type.name}`)
}

function enumOf(type: FieldType & { kind: 'enum' }, json: Json, where: string): number {
  const number = typeof json === 'string' ? type.numbers.get(json) : json
  if (typeof number === 'number' && number === (number | 0)) return number
  if (typeof json === 'string')
    throw new JsonError(`unknown value ${JSON.stringify(json)} for enum ${type.name}`)
  throw new JsonError(`${where} is ${told(json)}, not a value of enum ${type.name}`)
}

/** The JSON of a message. A part of a message that is there, and empty, is told: `{}`. */
export function jsonOf(shape: Shape, message: Message): Json {
  const json: Record<string, Json> = {}
  for (const { name, isRepeated, type } of shape.fields) {
    const value = message[name]
    if (value === undefined || value === null) continue
    if (!isRepeated) {
      if (!isDefault(type, value)) json[name] = jsonValue(type, value)
    } else if ((value as unknown[]).length > 0) {
      json[name] = (value as unknown[]).map((element) => jsonValue(type, element))
    }
  }
  return json
}

function isDefault({ kind }: FieldType, value: unknown): boolean {
  switch (kind) {
    case 'bytes':
    case 'string':
      return (value as Buffer | string).length === 0
    case 'message':
      return false
    default:
      return Number(value) === 0
  }
}

function jsonValue(type: FieldType, value: unknown): Json {
  switch (type.kind) {
    case 'bytes':
      return (value as Buffer).toString('base64')
    case 'enum':
      return type.names.get(value as number) ?? value
    case 'message':
      return jsonOf(type.shape(), value as Message)
    default:
      return value
  }
}

const isObject = (json: Json): json is Readonly<Record<string, Json>> =>
  typeof json === 'object' && json !== null && !Array.isArray(json) && numberText(json) === undefined

/** A number of a list or of an object in an error. */
function toldNumber(json: Json): number | undefined {
  const text = numberText(json)
  return text === undefined ? undefined : Number(text)
}

/** A value in an error: its beginning, as it may be long. */
function told(json: Json): string {
  const text = numberText(json) ?? JSON.stringify(json, (_, value: Json) => toldNumber(value) ?? value)
  return text.length <= 40 ? text : `${text.slice(0, 37)}...`
}
