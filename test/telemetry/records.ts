/** The record of a sequence number: its length and each of its bytes tell the number, so that a torn one is seen. */
export function recordOf(sequence: number): Uint8Array {
  const record = new Uint8Array(4 + ((sequence * 7919) % 61)).fill(sequence & 0xff)
  new DataView(record.buffer).setUint32(0, sequence)
  return record
}

/** The sequence number of a record that is whole; throws for any other. */
export function sequenceOf(record: Uint8Array): number {
  const sequence = new DataView(record.buffer, record.byteOffset).getUint32(0)
  const whole = recordOf(sequence)
  if (record.byteLength !== whole.byteLength || record.some((byte, at) => byte !== whole[at]))
    throw new Error(`the record of ${sequence} is torn`)
  return sequence
}

/** A text that is told: its length tells the number. */
export interface Numbered {
  readonly number: number
  readonly filling: string
}

export function numberedOf(number: number): Numbered {
  return { number, filling: String(number % 10).repeat((number * 7919) % 61) }
}
