/** From event to trigger, read back from the broker: both times are its own, of when it stored the one and the other. */
import { limitsOf } from '../../engine/config/limits.js'
import type { Event } from '../../engine/event.js'
import { Names } from '../../engine/nats/names.js'
import { parseCoordinate, positionHeader } from '../../engine/outbox/outbox-entry.js'
import { LatencyHistogram, type Percentiles } from './latency-histogram.js'
import { readStream } from './read-stream.js'
import type { Rig } from './rig.js'

/** Header of a trigger with the stream sequence of its event, from contenders other than Millrace. */
export const causeHeader = 'Bench-Cause'

/** Events of a load that count. */
export interface Window {
  /** Stream sequence before the first. */
  readonly after: number
  readonly count: number
  /** When the n-th of them, from 0, was due: epoch milliseconds. */
  readonly dueAtMs: (n: number) => number
  /** Triggers up to this sequence were there before. */
  readonly afterTrigger: number
}

export interface TriggerLatency {
  readonly brokerToTriggerMs: Percentiles
  /** From when the event was due, so a load that came late, or waited in the broker, counts. */
  readonly dueToTriggerMs: Percentiles
}

/** Of all triggers that the events in the window have led to so far, except those that wait by definition, if there are any. */
export async function triggerLatency(
  rig: Rig,
  { after, count, dueAtMs, afterTrigger }: Window,
): Promise<TriggerLatency | undefined> {
  const names = new Names()
  const { connection, streams, config, workload } = rig
  const limits = limitsOf(config, workload.partitions)
  const storedMs = new Float64Array(count)
  const events = { stream: names.streams.events, filter: names.eventSubjects(), after, count, limits }
  await readStream(connection, streams, events, batch => {
    batch.events.forEach(({ seq }, at) => {
      if (seq <= after + count) storedMs[seq - after - 1] = batch.brokerMs[at]!
    })
  })
  const [fromBroker, fromSchedule] = [new LatencyHistogram(), new LatencyHistogram()]
  const { lastSeq } = await streams.freshFacts(names.streams.triggers)
  const triggers = { stream: names.streams.triggers, filter: names.laneSubjects('triggers'), limits }
  await readStream(connection, streams, { ...triggers, after: afterTrigger, count: lastSeq - afterTrigger }, batch => {
    batch.events.forEach((trigger, at) => {
      if (workload.waitingTriggers?.includes(trigger.origin.subject.split('.')[1]!)) return
      const n = causeOf(trigger) - after - 1
      if (n < 0 || n >= count) return
      fromBroker.record(batch.brokerMs[at]! - storedMs[n]!)
      fromSchedule.record(batch.brokerMs[at]! - dueAtMs(n))
    })
  })
  const [brokerToTriggerMs, dueToTriggerMs] = [fromBroker.percentiles(), fromSchedule.percentiles()]
  return brokerToTriggerMs && dueToTriggerMs && { brokerToTriggerMs, dueToTriggerMs }
}

/** Stream sequence of the event that a trigger follows. */
function causeOf({ origin, seq }: Event): number {
  for (const [name, [value = '']] of origin.headers ?? []) {
    if (name === causeHeader) return Number(value)
    const coordinate = name === positionHeader ? parseCoordinate(value) : undefined
    if (coordinate !== undefined) return coordinate.seq
  }
  throw new Error(`trigger ${seq} does not say what it follows`)
}
