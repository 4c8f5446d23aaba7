/** What is read of a record's bytes. */

const numberOffset = 8
export const timeOffset = 16

/** Its place on the circle, at least 0 and less than 1: its first 48 bits, which are random. */
export function pointOf(record: Buffer): number {
  return record.readUIntBE(0, 6) / 2 ** 48
}

/** What consumers add up. */
export function numberOf(record: Buffer): number {
  return record.readUInt32BE(numberOffset)
}

/** When it was made, epoch milliseconds. */
export function timeOf(record: Buffer): number {
  return record.readUIntBE(timeOffset, 6)
}
