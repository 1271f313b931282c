/** A record of a history of etcd's API as a line of JSON, checked field by field. */
import { check, type Fields, isFields, isWhole, objectIn, timeExpected } from '../line-fields.js'
import { outcomes } from '../model.js'
import { type EtcdRecord, etcdErrors } from './record.js'

const ops = [
  'put',
  'delete',
  'range',
  'txn',
  'compact',
  'grant',
  'keepAlive',
  'revoke',
  'watch',
  'watchResponse',
]
const targets = ['version', 'createRevision', 'modRevision', 'value', 'lease']
const results = ['=', '!=', '>', '<']

/** Throws a `RaftError` that names the field for a line that is no record. Fields that nobody asks for are left out. */
export function parseEtcdRecord(line: string): EtcdRecord {
  const fields = objectIn(line, 'a record')
  const { op, client } = fields
  check('op', op, ops.includes(op as string), `one of ${ops.join(', ')}`)
  check('client', client, typeof client === 'string' || isWhole(client), 'a whole number or a text')
  const parsed =
    op === 'watch' ? watch(fields) : op === 'watchResponse' ? watchResponse(fields) : call(fields)
  return { op, client, ...parsed } as unknown as EtcdRecord
}

function call(fields: Fields): Fields {
  const { op, call: begun, return: end, outcome, error } = fields
  const isKnown = outcomes.some((each) => each === outcome)
  check('outcome', outcome, isKnown, '"ok", "fail" or "unknown"')
  check('call', begun, isWhole(begun), timeExpected)
  const needsEnd = outcome === 'ok' || error !== undefined
  check('return', end, isWhole(end) || (!needsEnd && (end === undefined || end === null)), timeExpected)
  const isInOrder = !isWhole(end) || (end as number) >= (begun as number)
  check('return', end, isInOrder, `a time that is not before the call at ${begun}`)
  oneOf('error', error, [undefined, ...etcdErrors])
  const isOk = outcome === 'ok'
  const isOfLease = op === 'grant' || op === 'keepAlive' || op === 'revoke'
  const isTold = isOk && op !== 'grant' && op !== 'keepAlive'
  const revision =
    isTold || fields['revision'] !== undefined ? count('revision', fields['revision'], 1) : undefined
  const asked = isOfLease ? ofLease(fields, isOk) : op === 'txn' ? txn(fields, isOk) : single(fields, isOk)
  return { call: begun, return: end, outcome, error, revision, ...asked }
}

function ofLease(fields: Fields, isOk: boolean): Fields {
  const { op, ttl } = fields
  const lease = leaseOf(fields['lease'])
  check('lease', fields['lease'], lease !== undefined, 'the ID of a lease')
  const isTold = isOk && op !== 'revoke'
  if (isTold) check('ttl', ttl, isWhole(ttl), 'the answered TTL in whole seconds')
  return { lease, ...(isTold && { ttl }) }
}

function single(fields: Fields, isOk: boolean): Fields {
  const { op, serializable } = fields
  if (op === 'compact') return { atRevision: count('atRevision', fields['atRevision'], 1) }
  const asked = txnOp(fields, '')
  const told = isOk ? opAnswer(op, fields, '') : {}
  if (op !== 'range') return { ...asked, ...told }
  const atRevision =
    fields['atRevision'] === undefined ? undefined : count('atRevision', fields['atRevision'])
  flag('serializable', serializable)
  return { ...asked, ...told, atRevision, serializable }
}

function txn(fields: Fields, isOk: boolean): Fields {
  const compare = list('compare', fields['compare']).map(compareOf)
  const [success, failure] = ['success', 'failure'].map((branch) =>
    list(branch, fields[branch]).map((op, at) => txnOp(op, `${branch} ${at + 1}: `)),
  ) as [Fields[], Fields[]]
  if (!isOk) return { compare, success, failure }
  const { succeeded } = fields
  check('succeeded', succeeded, typeof succeeded === 'boolean', 'true or false')
  const done = succeeded === true ? success : failure
  const told = list('responses', fields['responses'])
  check('responses', told.length, told.length === done.length, `one for each of ${done.length} operations`)
  const responses = told.map((answer, at) => opAnswer(done[at]?.['op'], answer, `response ${at + 1}: `))
  return { compare, success, failure, succeeded, responses }
}

function compareOf(fields: Fields, at: number): Fields {
  const { key, target, result, value } = fields
  const where = `compare ${at + 1}: `
  text(`${where}key`, key)
  oneOf(`${where}target`, target, targets)
  oneOf(`${where}result`, result, results)
  if (target === 'value') text(`${where}value`, value)
  else if (target === 'lease') return { key, target, result, value: leaseOf(value) ?? '0' }
  else count(`${where}value`, value)
  return { key, target, result, value }
}

function txnOp(fields: Fields, where: string): Fields {
  const { op, value } = fields
  oneOf(`${where}op`, op, ['put', 'delete', 'range'])
  if (op === 'put') {
    text(`${where}key`, fields['key'])
    text(`${where}value`, value)
    return { op, key: fields['key'], value, lease: leaseOf(fields['lease']) }
  }
  const limit =
    op === 'range' && fields['limit'] !== undefined ? count(`${where}limit`, fields['limit']) : undefined
  return { op, ...span(fields, where), ...(limit !== undefined && { limit }) }
}

function opAnswer(op: unknown, fields: Fields, where: string): Fields {
  if (op === 'delete') return { deleted: count(`${where}deleted`, fields['deleted']) }
  if (op !== 'range') return {}
  return {
    kvs: list(`${where}kvs`, fields['kvs']).map((kv, at) => keyValueOf(kv, `${where}key ${at + 1}: `)),
  }
}

function keyValueOf(fields: Fields, where: string): Fields {
  const { key, value } = fields
  text(`${where}key`, key)
  text(`${where}value`, value)
  const [createRevision, modRevision, version] = ['createRevision', 'modRevision', 'version'].map((field) =>
    count(`${where}${field}`, fields[field], 1),
  )
  return { key, value, createRevision, modRevision, version, lease: leaseOf(fields['lease']) }
}

function watch(fields: Fields): Fields {
  const { watch: name, call: begun, startRevision } = fields
  text('watch', name)
  check('call', begun, isWhole(begun), timeExpected)
  const start = startRevision === undefined ? undefined : count('startRevision', startRevision)
  return { watch: name, call: begun, ...span(fields, ''), startRevision: start }
}

function watchResponse(fields: Fields): Fields {
  const { watch: name, return: time, created, canceled, fragment, compactRevision } = fields
  text('watch', name)
  check('return', time, isWhole(time), timeExpected)
  flag('created', created)
  flag('canceled', canceled)
  flag('fragment', fragment)
  // The header of a cancel for compaction has no revision.
  const revision =
    canceled === true ? count('revision', fields['revision'] ?? 0) : count('revision', fields['revision'], 1)
  const compacted = compactRevision === undefined ? undefined : count('compactRevision', compactRevision)
  const events = list('events', fields['events'] ?? []).map((event, at) =>
    eventOf(event, `event ${at + 1}: `),
  )
  return {
    watch: name,
    return: time,
    revision,
    created,
    canceled,
    fragment,
    compactRevision: compacted,
    events,
  }
}

function eventOf(fields: Fields, where: string): Fields {
  const { type, key } = fields
  oneOf(`${where}type`, type, ['put', 'delete'])
  if (type === 'put') return { type, ...keyValueOf(fields, where) }
  text(`${where}key`, key)
  return { type, key, modRevision: count(`${where}modRevision`, fields['modRevision'], 1) }
}

function span({ key, rangeEnd }: Fields, where: string): Fields {
  text(`${where}key`, key)
  if (rangeEnd === undefined) return { key }
  text(`${where}rangeEnd`, rangeEnd)
  return { key, rangeEnd }
}

/** IDs have 64 bits, so they are texts; 0 is no lease. */
function leaseOf(value: unknown): string | undefined {
  const isNone = value === undefined || value === null || value === '' || value === 0 || value === '0'
  if (isNone) return undefined
  const isId = isWhole(value) || (typeof value === 'string' && /^-?\d{1,20}$/.test(value))
  check('lease', value, isId, 'the decimal ID of a lease, as a text if it has more than 53 bits')
  return String(value)
}

function list(what: string, value: unknown): Fields[] {
  check(what, value, Array.isArray(value) && value.every(isFields), 'a list of objects')
  return value as Fields[]
}

function text(what: string, value: unknown): void {
  check(what, value, typeof value === 'string', 'a text')
}

function flag(what: string, value: unknown): void {
  check(what, value, value === undefined || typeof value === 'boolean', 'true or false')
}

function oneOf(what: string, value: unknown, all: readonly unknown[]): void {
  const known = all.filter((each) => each !== undefined)
  check(what, value, all.includes(value), `one of ${known.join(', ')}`)
}

function count(what: string, value: unknown, least = 0): number {
  check(what, value, isWhole(value) && (value as number) >= least, `a whole number from ${least} on`)
  return value as number
}
