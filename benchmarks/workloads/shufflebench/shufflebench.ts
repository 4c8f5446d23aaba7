/** ShuffleBench's core: records of 1 kB, a million consumers. See `pipeline.ts`. */
import { fileURLToPath } from 'node:url'
import { seeded } from '../../../examples/shop/random.js'
import { countOne, triggerText, type CheckedWorkload, type OutcomeTally, type Traits } from '../outcome.js'
import type { LoadOptions, Message } from '../workload.js'
import { makeRules } from './rules.js'
import { numberOf, pointOf, timeOf, timeOffset } from './record.js'

const recordBytes = 1024
/** What comes first is different in every record; of the rest only the size matters. */
const ownBytes = 24
/**
 * A record is this old when it is published. Clocks differ by a millisecond or two, and an event from the future is taken as
 * just received, which nobody could foretell from the messages.
 */
const ageMs = 1_000

export const defaultConsumers = 1_000_000
export const emitEvery = 10

export const shuffleBench = shuffleBenchOf(defaultConsumers)

/** Another number of consumers than the pipeline's own has to be set in its environment too. */
export function shuffleBenchOf(consumers: number): CheckedWorkload {
  return {
    name: 'shufflebench',
    partitions: 1,
    pipelineFile: fileURLToPath(new URL('../../../../benchmarks/workloads/shufflebench/pipeline.ts', import.meta.url)),
    messages: records,
    tally: () => new ConsumerTally(consumers),
    totalsOf: ({ updates, total }) => ({ updates: updates as number, total: total as number }),
  }
}

/** A random point and number, the time at which it was made, and filling. */
function* records({ seed, events, clock }: LoadOptions): Generator<Message, void> {
  const random = seeded(seed)
  const filling = random.bytes(recordBytes - ownBytes)
  for (let number = 0; number < events; number++) {
    const payload = Buffer.concat([random.bytes(ownBytes), filling])
    payload.writeUIntBE(clock() - ageMs, timeOffset, 6)
    yield { subject: `events.load.record.${number % 1000}`, payload, messageId: `record-${seed}-${number}` }
  }
}

interface Seen {
  readonly point: number
  readonly number: number
  readonly at: number
}

/** Goes the other way round than the pipeline: not the consumers of each record, but the records of each consumer. */
class ConsumerTally implements OutcomeTally {
  readonly #records: Seen[] = []

  constructor(private readonly consumers: number) {}

  add({ payload }: Message): void {
    this.#records.push({ point: pointOf(payload), number: numberOf(payload), at: timeOf(payload) })
  }

  totals() {
    const sums = { updates: 0, total: 0 }
    for (const { updates, total } of this.outcome().profiles.values()) {
      sums.updates += updates as number
      sums.total += total as number
    }
    return sums
  }

  outcome() {
    const profiles = new Map<string, Traits>()
    const triggers = new Map<string, number>()
    // By point, and where points are equal in their order of arrival: sorting is stable.
    const sorted = this.#records.map((record, arrival) => ({ ...record, arrival })).sort((a, b) => a.point - b.point)
    const firstAtOrAfter = (point: number) => {
      let [low, high] = [0, sorted.length]
      while (low < high) {
        const middle = (low + high) >>> 1
        if (sorted[middle]!.point < point) low = middle + 1
        else high = middle
      }
      return low
    }
    const { starts, widths } = makeRules(this.consumers)
    for (let consumer = 0; consumer < this.consumers; consumer++) {
      const start = starts[consumer]!
      const end = start + widths[consumer]!
      const seen = sorted.slice(firstAtOrAfter(start), firstAtOrAfter(end))
      if (end >= 1) seen.push(...sorted.slice(0, firstAtOrAfter(end - 1)))
      if (seen.length === 0) continue
      seen.sort((a, b) => a.arrival - b.arrival)
      let total = 0
      seen.forEach(({ number }, at) => {
        total += number
        const updates = at + 1
        if (updates % emitEvery === 0)
          countOne(triggers, triggerText('tenth_update', `consumer_${consumer}`, { updates, total }))
      })
      const times = seen.map(({ at }) => at)
      const [firstAt, lastAt] = [Math.min(...times), Math.max(...times)]
      profiles.set(`consumer_${consumer}`, { updates: seen.length, total, firstAt, lastAt })
    }
    return { profiles, triggers }
  }
}
