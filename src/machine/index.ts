/** State machines: the contract that users implement, the built-in KV, and the packed bytes of both sides. */
export type { AnswerSource, GetAnswer, KeyedRecord, KvRecord, RangeAnswer, WriteAnswer } from './answers.js'
export {
  answerHeaderBytes,
  rangeHeaderBytes,
  readGetAnswer,
  readRangeAnswer,
  readWriteAnswer,
  type Status,
  statuses,
  writeHeader,
  writeRangeHeader,
} from './answers.js'
export type { Bytes, RangeBounds } from './commands.js'
export {
  afterKey,
  afterPrefix,
  commandOps,
  encode,
  keyBytesMax,
  queryOps,
  queryPrefixBytes,
  rangeBoundBytesMax,
  rangeBytesMax,
  rangePrefixBytes,
  valueBytesMax,
  writeAppend,
  writeCas,
  writeDelete,
  writeGet,
  writePut,
  writeRange,
} from './commands.js'
export { createKv } from './kv.js'
export { revisionsBytes } from './kv-entry.js'
export { hashKey, KvIndex } from './kv-index.js'
export { loadMachine } from './load.js'
export type * from './machine.js'
export { compareRanges, copyRange, isEqualRange, Memory } from './memory.js'
export { setUint64 } from './packed.js'
export { type KvCommand, readCommand } from './read-command.js'
export type { PackedResults } from './results.js'
export { endOfResults, forEachResult, isReusable, ResultBuilder, resultBytesMaxDefault } from './results.js'
export type { CallHeader, SessionAnswer, SessionHeader } from './session-frame.js'
export {
  callHeaderBytes,
  clockFrame,
  isFrameOfSession,
  readSessionAnswer,
  readSessionHeader,
  registerFrame,
  sessionAnswerBytes,
  writeCallHeader,
  writeSessionAnswer,
} from './session-frame.js'
export { SessionMachine } from './session-machine.js'
export { answersMax } from './sessions.js'
