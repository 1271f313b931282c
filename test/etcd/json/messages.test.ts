import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JsonError, jsonOf, parseMessage } from '../../../src/etcd/json/messages.js'
import { routes } from '../../../src/etcd/json/routes.js'
import { methodOf, type Shape } from '../../../src/etcd/json/shapes.js'
import { protos } from '../../../src/etcd/protos.js'

const [range, txn, grant] = ['KV/Range', 'KV/Txn', 'Lease/LeaseGrant'].map((name) =>
  methodOf(`/etcdserverpb.${name}`),
) as [ReturnType<typeof methodOf>, ReturnType<typeof methodOf>, ReturnType<typeof methodOf>]

/** The message that gRPC's own decoder reads in the bytes that the JSON became. */
function decoded(method: 'Range' | 'Txn', json: string): unknown {
  const [name, path] = [method, `/etcdserverpb.KV/${method}`]
  const { request, encodeRequest } = methodOf(path)
  const definition = protos['etcdserverpb.KV']?.[name as keyof object] as unknown as {
    requestDeserialize(bytes: Buffer): unknown
  }
  return definition.requestDeserialize(encodeRequest(parseMessage(request, json)))
}

describe('JSON becomes a message', () => {
  test('names are taken in snake_case and in camelCase', () => {
    expect(decoded('Range', '{"key":"Zm9v","range_end":"Zm9w","sortTarget":"VALUE"}')).toMatchObject({
      key: Buffer.from('foo'),
      rangeEnd: Buffer.from('fop'),
      sortTarget: 4,
    })
  })

  test('a number of 64 bits may be a number or a string, and is exact', () => {
    for (const limit of ['9223372036854775807', '"9223372036854775807"', '" 9223372036854775807"'])
      expect(decoded('Range', `{"limit":${limit},"revision":-3}`)).toMatchObject({
        limit: '9223372036854775807',
        revision: '-3',
      })
  })

  test('bytes may be a list of numbers, where null is 0', () => {
    expect(decoded('Range', '{"key":[0,97,255,null],"range_end":[]}')).toMatchObject({
      key: Buffer.of(0, 97, 255, 0),
      rangeEnd: Buffer.alloc(0),
    })
  })

  test('numbers of names that the message does not have may be of any kind', () => {
    const numbers = '{"a":1.1234567890123456,"b":[1e400,-0.5E-7],"c":"1.5 \\" 1e0","limit":-0}'
    expect(decoded('Range', numbers)).toEqual(decoded('Range', '{}'))
  })

  test('an enum may be a name or a number', () => {
    expect(decoded('Range', '{"sort_order":"DESCEND","sort_target":2}')).toMatchObject({
      sortOrder: 2,
      sortTarget: 2,
    })
  })

  test('null means nothing, and unknown names are passed over', () => {
    const nothing = decoded('Range', '{}')
    expect(
      decoded('Range', '{"key":null,"limit":null,"sort_order":null,"serializable":null,"a":{"b":[1]}}'),
    ).toEqual(nothing)
    expect(decoded('Range', 'null')).toEqual(nothing)
  })

  test('an empty value is the same as none', () => {
    const empty = '{"key":"","range_end":"","limit":"0","sort_order":"NONE","serializable":false}'
    expect(range.encodeRequest(parseMessage(range.request, empty))).toHaveLength(0)
  })

  test('a transaction has transactions in it', () => {
    const inner = '{"request_txn":{"failure":[{"requestDeleteRange":{"key":"Zm9v"}}]}}'
    expect(decoded('Txn', `{"success":[${inner}]}`)).toMatchObject({
      success: [{ requestTxn: { failure: [{ requestDeleteRange: { key: Buffer.from('foo') } }] } }],
    })
  })

  test.each([
    ['{"key":"Zm9v"', 'no JSON: '],
    ['[]', 'etcdserverpb.RangeRequest is [], not an object'],
    ['{"key":5}', 'key is 5, not bytes in base64'],
    ['{"key":"Zm9"}', 'key is "Zm9", not bytes in base64'],
    ['{"key":"Zm-_"}', 'key is "Zm-_", not bytes in base64'],
    ['{"key":1234567890123456}', 'key is 1234567890123456, not bytes in base64'],
    ['{"key":[256]}', 'key[0] is 256, not a byte'],
    ['{"key":[97,-1]}', 'key[1] is -1, not a byte'],
    ['{"key":[97.0]}', 'key[0] is 97.0, not a byte'],
    ['{"key":["97"]}', 'key[0] is "97", not a byte'],
    ['{"key":[[97]]}', 'key[0] is [97], not a byte'],
    ['{"limit":5.5}', 'limit is 5.5, not a number of type int64'],
    ['{"limit":1.0}', 'limit is 1.0, not a number of type int64'],
    ['{"limit":1e0}', 'limit is 1e0, not a number of type int64'],
    ['{"limit":-1E+2}', 'limit is -1E+2, not a number of type int64'],
    ['{"limit":1e400}', 'limit is 1e400, not a number of type int64'],
    ['{"limit":"01"}', 'limit is "01", not a number of type int64'],
    ['{"limit":"-00"}', 'limit is "-00", not a number of type int64'],
    ['{"limit":"\\t1"}', 'limit is "\\t1", not a number of type int64'],
    ['{"limit":{"":"5"}}', 'limit is {"":"5"}, not a number of type int64'],
    ['{"limit":[1.50]}', 'limit is [1.5], not a number of type int64'],
    ['{"limit":00000000000000001}', 'no JSON: '],
    ['{"unknown":00000000000000001}', 'no JSON: '],
    ['{"unknown":01.5}', 'no JSON: '],
    ['{"unknown":1.}', 'no JSON: '],
    ['{"unknown":1.5e}', 'no JSON: '],
    ['{"unknown":"1.5}', 'no JSON: '],
    ['{"unknown":1.5 1.5}', 'no JSON: '],
    ['{1.5:1}', 'no JSON: '],
    ['1.5', 'etcdserverpb.RangeRequest is 1.5, not an object'],
    ['{"limit":true}', 'limit is true, not a number of type int64'],
    ['{"limit":""}', 'limit is "", not a number of type int64'],
    ['{"limit":9223372036854775808}', 'limit is 9223372036854775808, not a number of type int64'],
    ['{"limit":"-9223372036854775809"}', 'not a number of type int64'],
    ['{"serializable":"true"}', 'serializable is "true", not true or false'],
    ['{"sort_order":"NOPE"}', 'unknown value "NOPE" for enum etcdserverpb.RangeRequest_SortOrder'],
    ['{"sort_order":1.0}', 'sort_order is 1.0, not a value of enum etcdserverpb.RangeRequest_SortOrder'],
    ['{"sort_order":1e0}', 'sort_order is 1e0, not a value of enum etcdserverpb.RangeRequest_SortOrder'],
    ['{"sort_order":1.5}', 'sort_order is 1.5, not a value of enum etcdserverpb.RangeRequest_SortOrder'],
  ])('%s is refused', (json, message) => {
    expect(() => parseMessage(range.request, json)).toThrow(JsonError)
    expect(() => parseMessage(range.request, json)).toThrow(message)
  })

  test('lists and messages are refused where they do not belong', () => {
    expect(() => parseMessage(txn.request, '{"success":{}}')).toThrow('success is {}, not a list')
    expect(() => parseMessage(txn.request, '{"success":[null]}')).toThrow('success[0] is null, not an object')
    expect(() => parseMessage(txn.request, '{"success":[{"request_put":5}]}')).toThrow('request_put is 5')
    for (const number of ['5.5', '7587868094239438091'])
      expect(() => parseMessage(txn.request, `{"success":[${number}]}`)).toThrow(
        `success[0] is ${number}, not an object`,
      )
  })

  test('bytes of the largest request are read', () => {
    const value = Buffer.alloc(2 * 1024 * 1024, 'value')
    const { request } = methodOf('/etcdserverpb.KV/Put')
    const message = parseMessage(
      request,
      JSON.stringify({ value: value.toString('base64'), lease: '1'.repeat(17) }),
    )
    expect(value.equals(message['value'] as Buffer)).toBe(true)
  })
})

describe('a message becomes JSON', () => {
  const told = (path: string, response: object): unknown => {
    const [, service = '', name = ''] = path.split('/')
    const definition = protos[service]?.[name as keyof object] as unknown as {
      responseSerialize(message: object): Buffer
    }
    const method = methodOf(path)
    return jsonOf(method.response, method.decodeResponse(definition.responseSerialize(response)))
  }

  test('with the names of the proto file, bytes in base64, numbers of 64 bits as strings and without defaults', () => {
    const kv = {
      key: Buffer.from('foo'),
      createRevision: 3,
      modRevision: '9007199254740993',
      version: 1,
      lease: 0,
    }
    const header = { clusterId: '18446744073709551615', memberId: '1', revision: '3', raftTerm: '2' }
    expect(told('/etcdserverpb.KV/Range', { header, kvs: [kv], more: false, count: 1 })).toEqual({
      header: { cluster_id: '18446744073709551615', member_id: '1', revision: '3', raft_term: '2' },
      kvs: [{ key: 'Zm9v', create_revision: '3', mod_revision: '9007199254740993', version: '1' }],
      count: '1',
    })
  })

  test('a message that is there and empty is told, a list that is empty is not', () => {
    const response = { responses: [{ responseTxn: { header: {}, responses: [] } }] }
    expect(told('/etcdserverpb.KV/Txn', response)).toEqual({ responses: [{ response_txn: { header: {} } }] })
  })

  test('an enum is told by its name, one without a name by its number', () => {
    const alarms = [{ memberID: '5', alarm: 1 }, { alarm: 7 }]
    expect(told('/etcdserverpb.Maintenance/Alarm', { alarms })).toEqual({
      alarms: [{ memberID: '5', alarm: 'NOSPACE' }, { alarm: 7 }],
    })
  })

  test('a number of 32 bits is a number', () => {
    expect(told('/etcdserverpb.Maintenance/Hash', { hash: 4294967295 })).toEqual({ hash: 4294967295 })
  })
})

test('whatever a body holds, it becomes a message that can be encoded, or is refused', () => {
  const methods = [...routes.values()].map(methodOf)
  const names = methods.flatMap(({ request }) => request.fields.map(({ name }) => name))
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom('', 'Zm9v', '5', 5, -1, 2 ** 53, 1e300, [], {}, [null], [{}], null, true, { '': '5' }),
  )
  const bodies = fc.oneof(
    fc.string(),
    value.map((json) => JSON.stringify(json)),
    fc.dictionary(fc.constantFrom(...names), value).map((json) => JSON.stringify(json)),
  )
  fc.assert(
    fc.property(fc.constantFrom(...methods), bodies, ({ request, encodeRequest }, body) => {
      try {
        encodeRequest(parseMessage(request, body))
      } catch (error) {
        expect(error).toBeInstanceOf(JsonError)
      }
    }),
    { numRuns: 2000 },
  )
})

test('a message that became JSON becomes the same message', () => {
  const integer = (min: bigint, max: bigint) => fc.bigInt(min, max).map(String)
  const anyOf = (type: Shape['fields'][number]['type'], depth: number): fc.Arbitrary<unknown> => {
    switch (type.kind) {
      case 'bytes':
        return fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes))
      case 'string':
        return fc.string({ minLength: 1 })
      case 'bool':
        return fc.constant(true)
      case 'integer':
        // A number of 64 bits is a string in JSON, as JavaScript rounds it.
        return integer(1n, type.max).map((text) => (type.name.endsWith('64') ? text : Number(text)))
      case 'enum':
        return fc.constantFrom(...type.names.keys()).filter((number) => number !== 0)
      case 'message':
        return messageOf(type.shape(), depth - 1)
    }
  }
  const messageOf = (shape: Shape, depth: number): fc.Arbitrary<object> => {
    const fields = shape.fields.filter(({ type }) => depth > 0 || type.kind !== 'message')
    const values = fields.map(({ name, isRepeated, type }) => {
      const one = anyOf(type, depth)
      return [name, isRepeated ? fc.array(one, { minLength: 1, maxLength: 3 }) : one] as const
    })
    return fc.record(Object.fromEntries(values), { requiredKeys: [] })
  }
  for (const { request } of [range, txn, grant, methodOf('/etcdserverpb.Watch/Watch')]) {
    fc.assert(
      fc.property(messageOf(request, 3), (message) => {
        const read = parseMessage(request, JSON.stringify(jsonOf(request, message as never)))
        expect(read).toEqual(message)
      }),
    )
  }
})
