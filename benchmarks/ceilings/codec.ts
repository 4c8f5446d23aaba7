/**
 * A fixed piece of work to measure everything else by: decode each event's Avro record, pack a row like a stored profile, with the
 * libraries alone and nothing of the engine. What slows the engine down does not slow this down.
 *
 * Load: the events of the personalization workload that are valid Avro, in memory, several times over. The answer is processor
 * time of the process for one event, microseconds.
 */
import { Packr } from 'msgpackr'
import { headerBytes, readSchemas, type ShopSchema } from '../../examples/shop/avro.js'
import { personalization, shopFolder } from '../workloads/personalization/workload.js'
import type { MicroJob } from './micro-task.js'
import type { Prepare } from './task.js'

/** A record without its header, and what it is one of. */
interface Encoded {
  readonly type: ShopSchema['type']
  readonly record: Buffer
}

const startMs = 1_700_000_000_000

export const prepareCodec: Prepare<MicroJob, number> = async ({ events, rounds, seed }) => {
  const schemas = await readSchemas(`${shopFolder}schemas`)
  let nowMs = startMs
  const encoded: Encoded[] = []
  for (const { subject, payload } of personalization.messages({ seed, events, clock: () => nowMs++ })) {
    const { type, header } = schemas.get(subject.split('.')[2]!)!
    const record = payload.subarray(headerBytes)
    if (payload.subarray(0, headerBytes).equals(header) && isValid(type, record)) encoded.push({ type, record })
  }
  const packr = new Packr({ useRecords: false })
  return {
    run: () => {
      let bytes = 0
      const before = process.cpuUsage()
      for (let round = 0; round < rounds; round++) {
        for (const { type, record } of encoded) bytes += packr.pack(rowOf(type.fromBuffer(record))).length
      }
      const { user, system } = process.cpuUsage(before)
      if (bytes === 0) throw new Error('nothing was packed')
      return Promise.resolve((user + system) / (rounds * encoded.length))
    },
    close: () => Promise.resolve(),
  }
}

function isValid(type: ShopSchema['type'], record: Buffer): boolean {
  try {
    type.fromBuffer(record)
    return true
  } catch {
    return false // damaged on purpose
  }
}

/** Positions like those of a stored profile: a few words, counts, ages, a sum, a small list. */
function rowOf({ id, userId, occurredAt, total = 0 }: Readonly<Record<string, unknown>>): unknown[] {
  const ages = [0, 1_000, -1, 86_400_000, -1, 5, 60_000, -1, -1, 250]
  const top = ['shoes', 12, 'books', 7, 'garden', 3]
  return [7, 123_456, occurredAt, 0, ages, userId, id, 'free', 3, 17, top, total, 99.95, null, null]
}
