/** Alarms of members: while one is raised, the store takes less, or nothing at all. */
import { Memory } from '../machine/index.js'
import { mvccCommandOps, type Status } from './border.js'
import type { RequestPlace } from './lease-requests.js'
import { readRequest, readTxn } from './requests.js'
import {
  bigintFieldBytes,
  bytesFieldBytes,
  type Measured,
  messageOf,
  numberFieldBytes,
  type Reader,
} from './wire.js'

interface Alarm {
  readonly memberId: bigint
  readonly type: number
}

const actions = { get: 0, activate: 1, deactivate: 2 }
/** Of requests, `none` stands for every type. */
const types = { none: 0, noSpace: 1, corrupt: 2 }

/** Fields of an `AlarmResponse`, of the `AlarmMember`s in it, and of an `AlarmRequest`. */
const alarmsField = 2
const memberFields = { memberId: 1, type: 2 }
const requestFields = { action: 1, memberId: 2, type: 3 }

/**
 * Alarms that are raised at a time. Like etcd, the machine knows no members and takes the id of any, so only a number bounds
 * what a client may raise: each command looks through the alarms, and each snapshot has them.
 */
const alarmsMax = 128

/** Commands that a store takes though its members may differ: none of them reads or writes keys. */
const takenIfCorrupt: readonly (number | undefined)[] = [mvccCommandOps.alarm, mvccCommandOps.leaseKeepAlive]

export class Alarms {
  /** By type, and then by member. */
  #raised: readonly Alarm[]

  constructor(raised: readonly Alarm[] = []) {
    this.#raised = raised
  }

  static unpacked(packed: Uint8Array): Alarms {
    return new Alarms(readRequest(readAlarms, new Memory(packed), 0, packed.byteLength))
  }

  /** As `AlarmResponse`. */
  packed(): Uint8Array {
    const { length, write } = this.list()
    return messageOf(length, write)
  }

  list(): Measured {
    return messageOfAlarms(this.#raised)
  }

  /** Raises an alarm, ends one, or tells those that are raised. */
  answer({ memory, start, end }: RequestPlace): Measured | Status {
    const request = readRequest(readAlarmRequest, memory, start, end)
    if (request === undefined || request.action > actions.deactivate) return 'malformed'
    const { action, type, memberId } = request
    const ofType = this.#raised.filter((alarm) => type === types.none || alarm.type === type)
    if (action === actions.get) return messageOfAlarms(ofType)
    const isMeant = (alarm: Alarm): boolean => alarm.type === type && alarm.memberId === memberId
    const found = this.#raised.filter(isMeant)
    if (action === actions.deactivate) {
      this.#raised = this.#raised.filter((alarm) => !isMeant(alarm))
      return messageOfAlarms(found)
    }
    const alarm = { memberId, type }
    if (found.length > 0) return messageOfAlarms(found)
    if (this.#raised.length === alarmsMax) return 'noSpace'
    this.#raised = [...this.#raised, alarm].sort(inOrder)
    return messageOfAlarms([alarm])
  }

  get isCorrupt(): boolean {
    return this.#has(types.corrupt)
  }

  /** The reason why a command is not taken while an alarm is raised. */
  refuses({ memory, start, end }: RequestPlace): Status | undefined {
    if (this.#raised.length === 0) return undefined
    const op = memory.bytes[start]
    if (this.isCorrupt && !takenIfCorrupt.includes(op)) return 'corrupt'
    if (!this.#has(types.noSpace)) return undefined
    if (op === mvccCommandOps.put || op === mvccCommandOps.leaseGrant) return 'noSpace'
    if (op !== mvccCommandOps.txn) return undefined
    const txn = readRequest(readTxn, memory, start + 1, end)
    const puts = [...(txn?.success ?? []), ...(txn?.failure ?? [])].some(({ type }) => type === 'put')
    return puts ? 'noSpace' : undefined
  }

  #has(type: number): boolean {
    return this.#raised.some((alarm) => alarm.type === type)
  }
}

function inOrder(one: Alarm, other: Alarm): number {
  if (one.type !== other.type) return one.type - other.type
  return one.memberId < other.memberId ? -1 : 1
}

function memberBytes({ memberId, type }: Alarm): number {
  return bigintFieldBytes(memberId) + numberFieldBytes(type)
}

function messageOfAlarms(alarms: readonly Alarm[]): Measured {
  return {
    length: alarms.reduce((sum, alarm) => sum + bytesFieldBytes(memberBytes(alarm)), 0),
    write: (writer) => {
      for (const alarm of alarms) {
        writer.bytesHead(alarmsField, memberBytes(alarm))
        writer.bigintField(memberFields.memberId, alarm.memberId)
        writer.numberField(memberFields.type, alarm.type)
      }
    },
  }
}

function readAlarms(reader: Reader): Alarm[] {
  const alarms: Alarm[] = []
  while (reader.next()) {
    if (reader.field === alarmsField) alarms.push(reader.message(readMember))
    else reader.skip()
  }
  return alarms
}

function readMember(reader: Reader): Alarm {
  const alarm = { memberId: 0n, type: 0 }
  while (reader.next()) {
    if (reader.field === memberFields.memberId) alarm.memberId = reader.bigint()
    else if (reader.field === memberFields.type) alarm.type = reader.enum()
    else reader.skip()
  }
  return alarm
}

function readAlarmRequest(reader: Reader): Alarm & { readonly action: number } {
  const request = { action: 0, memberId: 0n, type: 0 }
  while (reader.next()) {
    if (reader.field === requestFields.action) request.action = reader.enum()
    else if (reader.field === requestFields.memberId) request.memberId = reader.bigint()
    else if (reader.field === requestFields.type) request.type = reader.enum()
    else reader.skip()
  }
  return request
}
