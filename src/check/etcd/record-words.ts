/** Records in words, for the messages that name them. */
import { quoted } from '../shortened.js'
import { isWide } from './keys.js'
import type {
  Compare,
  EtcdCall,
  EtcdKeyValue,
  EtcdRecord,
  KeySpan,
  WatchEvent,
  WatchResponse,
} from './record.js'

/** Keys, events and parts of a transaction that are told. */
const toldMax = 4

/** `at` is its place in the history, counted from 0; people count from 1. */
export function recordWords(record: EtcdRecord, at: number): string {
  return `record ${at + 1} (${wordsOf(record)}, client ${record.client})`
}

function wordsOf(record: EtcdRecord): string {
  if (record.op === 'watch')
    return `watch ${record.watch} of ${spanWords(record)} from ${record.startRevision || 'now on'}`
  if (record.op === 'watchResponse') return responseWords(record)
  return `${callWords(record)}${endWords(record)}`
}

function callWords(call: EtcdCall): string {
  switch (call.op) {
    case 'put':
      return `put ${quoted(call.key)} ${quoted(call.value)}${call.lease ? ` with lease ${call.lease}` : ''}`
    case 'delete':
      return `delete ${spanWords(call)}`
    case 'range':
      return `${call.serializable ? 'serializable range' : 'range'} ${spanWords(call)}${call.atRevision ? ` at ${call.atRevision}` : ''}`
    case 'txn':
      return `txn${call.compare.length > 0 ? ` if ${someOf(call.compare.map(compareWords))}` : ''}`
    case 'compact':
      return `compact ${call.atRevision}`
    default:
      return `${call.op} lease ${call.lease}`
  }
}

function endWords(call: EtcdCall): string {
  if (call.outcome !== 'ok') return `: ${call.error ?? call.outcome}`
  const told = [
    ...(call.op === 'txn' ? [call.succeeded === true ? 'succeeded' : 'did not succeed'] : []),
    ...(call.op === 'range' && call.kvs !== undefined ? [kvsWords(call.kvs)] : []),
    ...(call.op === 'delete' && call.deleted !== undefined ? [`${call.deleted} deleted`] : []),
    ...('ttl' in call && call.ttl !== undefined ? [`TTL ${call.ttl} s`] : []),
    ...(call.revision === undefined ? [] : [`revision ${call.revision}`]),
  ]
  return told.length === 0 ? '' : ` → ${told.join(', ')}`
}

function responseWords({ watch, events = [], revision, ...response }: WatchResponse): string {
  const what = response.created ? 'is created' : response.canceled ? 'is cancelled' : 'tells progress'
  return events.length > 0
    ? `watch ${watch} tells ${someOf(events.map(eventWords))}`
    : `watch ${watch} ${what} at revision ${revision}`
}

function eventWords(event: WatchEvent): string {
  return event.type === 'put' ? kvWords(event) : `${quoted(event.key)} deleted at ${event.modRevision}`
}

function kvsWords(kvs: readonly EtcdKeyValue[]): string {
  return kvs.length === 0 ? 'no key' : someOf(kvs.map(kvWords))
}

function kvWords({ key, value, modRevision }: EtcdKeyValue): string {
  return `${quoted(key)} = ${quoted(value)} of ${modRevision}`
}

function compareWords({ key, target, result, value }: Compare): string {
  return `${target} of ${quoted(key)} ${result} ${typeof value === 'string' ? quoted(value) : value}`
}

function spanWords(span: KeySpan): string {
  return isWide(span) ? `${quoted(span.key)} to ${quoted(span.rangeEnd)}` : quoted(span.key)
}

function someOf(all: readonly string[]): string {
  const more = all.length - toldMax
  return `${all.slice(0, toldMax).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
