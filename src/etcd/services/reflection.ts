/** gRPC's own reflection service: clients that have no proto files, such as grpcurl, ask what services there are. */
import type { handleBidiStreamingCall } from '@grpc/grpc-js'
import { codes } from '../errors.js'
import { fileDescriptors } from '../protos.js'
import { DescriptorFiles } from './descriptor-files.js'
import { codecOf, definitionOf, refusalOf, type Service, undecoded } from './service.js'

/** At most one of the fields beside `host` is set. */
interface ReflectionRequest {
  readonly host: string
  readonly fileByFilename?: string
  readonly fileContainingSymbol?: string
  readonly allExtensionNumbersOfType?: string
  readonly listServices?: string
}

const reflection = definitionOf('grpc.reflection.v1alpha.ServerReflection')
const definition = undecoded(reflection)
const questions = codecOf<ReflectionRequest>(reflection, 'ServerReflectionInfo')

let read: DescriptorFiles | undefined

/** Few clients ask, so that the files are read for the first that does. */
function filesOf(): DescriptorFiles {
  read ??= new DescriptorFiles(fileDescriptors())
  return read
}

export function reflectionService(): Service {
  return { definition, implementation: { ServerReflectionInfo: answerAll } }
}

const answerAll: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
  call.on('data', (request: Buffer) => {
    try {
      const question = questions.decode(request)
      const answer = { validHost: question.host, originalRequest: question, ...answerTo(question, filesOf()) }
      if (!call.write(questions.encode(answer))) call.pause()
    } catch (error) {
      call.emit('error', refusalOf(error))
    }
  })
  call.on('drain', () => call.resume())
  call.on('end', () => call.end())
}

function answerTo(question: ReflectionRequest, files: DescriptorFiles): object {
  const { fileByFilename, fileContainingSymbol, allExtensionNumbersOfType, listServices } = question
  if (listServices !== undefined)
    return { listServicesResponse: { service: files.services.map((name) => ({ name })) } }
  if (fileByFilename !== undefined) return fileOr(files.named(fileByFilename), fileByFilename)
  if (fileContainingSymbol !== undefined)
    return fileOr(files.containing(fileContainingSymbol), fileContainingSymbol)
  if (allExtensionNumbersOfType !== undefined && files.containing(allExtensionNumbersOfType) !== undefined)
    return { allExtensionNumbersResponse: { baseTypeName: allExtensionNumbersOfType, extensionNumber: [] } }
  return notFound(allExtensionNumbersOfType ?? 'extension')
}

function fileOr(file: Buffer | undefined, name: string): object {
  return file === undefined ? notFound(name) : { fileDescriptorResponse: { fileDescriptorProto: [file] } }
}

function notFound(name: string): object {
  return { errorResponse: { errorCode: codes.notFound, errorMessage: `${name} is not found` } }
}
