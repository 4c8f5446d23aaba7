/**
 * How long does it take from when the broker has an event to when the broker has the trigger of that event?
 *
 * Load: open loop. Events of the example shop are sent on schedule, whether or not earlier ones are through, in small bursts
 * of what a millisecond owes; every publish ack is counted. The engine runs in its own process; the first three seconds are
 * sent and not counted. Both times are the broker's own, of when it stored the event and the trigger, so no two clocks are
 * compared. Percentiles are exact, from all samples.
 *
 * Not in it: the way from the producer to the broker and from the broker to a subscriber; triggers that wait by definition
 * (`cart_abandoned`); a cold start; networks. The sender shares the machine with everything else: its lag says how well it
 * kept its schedule.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { table } from '../../engine/cli/terminal.js'
import { systemClock } from '../../engine/clock.js'
import type { Event } from '../../engine/event.js'
import { Names } from '../../engine/nats/names.js'
import { Publisher } from '../../engine/nats/publisher.js'
import { parseCoordinate, positionHeader } from '../../engine/outbox-entry.js'
import { readSchemas } from '../../examples/shop/avro.js'
import { generate } from '../../examples/shop/generator.js'
import { limitsOf } from '../../engine/limits.js'
import { EngineProcess } from '../harness/engine-process.js'
import { Meter, type Measurement } from '../harness/meter.js'
import type { Answer, BenchOptions, Question } from '../question.js'
import { readStream } from '../harness/read-stream.js'
import { Rig, shopFolder } from '../harness/rig.js'
import { percentile, rounded } from '../harness/statistics.js'

const warmUpSeconds = 3
/** Fires by time, not by an event. */
const waitingTrigger = 'cart_abandoned'

interface Sent {
  /** Events of the warm-up come first. */
  readonly events: number
  /** How late each counted event was sent, milliseconds. */
  readonly lagMs: number[]
}

export const latency: Question = {
  name: 'latency',
  asks: 'How long from event to trigger, at a steady rate?',
  answer: async (options, say) => {
    const rig = await Rig.start(say)
    try {
      const engine = EngineProcess.spawn(rig, options.cpuProf)
      await engine.ready()
      say(`latency: ${options.rate} events/s for ${warmUpSeconds} + ${options.seconds} s`)
      const meter = new Meter(rig.processes(engine.pid))
      const sent = await sendOnSchedule(rig, options)
      await engine.published()
      const usage = meter.read(sent.events)
      await engine.stop()
      const samples = await samplesOf(rig, sent.events, options.rate * warmUpSeconds)
      return answer(options, samples, Float64Array.from(sent.lagMs).sort(), usage, rig.versions)
    } finally {
      await rig.stop()
    }
  },
}

function answer(
  { rate, seconds }: BenchOptions,
  samples: Float64Array,
  lag: Float64Array,
  { cpuUsPerEvent, rssMb }: Measurement,
  versions: string,
): Answer {
  const shares = [0.5, 0.99, 0.999, 1]
  const row = (name: string, sorted: Float64Array) => [
    name,
    ...shares.map(share => percentile(sorted, share).toFixed(2)),
  ]
  const named = (sorted: Float64Array) => {
    const [p50, p99, p999, most] = shares.map(share => rounded(percentile(sorted, share), 3))
    return { p50, p99, p999, most }
  }
  const [engine, nats, redis] = [cpuUsPerEvent.engine, cpuUsPerEvent.nats, cpuUsPerEvent.redis].map(us =>
    rounded(us, 1),
  )
  const rows = [row('broker to trigger', samples), row('sender behind schedule', lag)]
  return {
    text:
      `${rate} events/s for ${seconds} s, ${samples.length} triggers; ${versions}\n\n` +
      table(rows, ['ms', 'p50', 'p99', 'p99.9', 'most']) +
      `CPU us per event: engine ${engine}, nats ${nats}, redis ${redis}; engine at most ${rssMb.toFixed(0)} MB\n`,
    json: {
      latency: {
        rate,
        seconds,
        triggers: samples.length,
        brokerToTriggerMs: named(samples),
        senderLagMs: named(lag),
        cpuUsPerEvent: { engine, nats, redis },
        rssMb: rounded(rssMb, 1),
      },
    },
  }
}

/** Resolves when every event is acknowledged. Throws when one is not. */
async function sendOnSchedule(rig: Rig, { rate, seconds, seed }: BenchOptions): Promise<Sent> {
  const schemas = await readSchemas(join(shopFolder, 'schemas'))
  const events = rate * (warmUpSeconds + seconds)
  const load = generate(schemas, { seed, events, clock: () => Math.floor(systemClock.wallMs()) })
  const publisher = new Publisher(rig.connection)
  const lagMs: number[] = []
  let acknowledged = 0
  let failure: Error | undefined
  const startedAt = performance.now()
  for (let sent = 0; sent < events;) {
    const elapsedMs = performance.now() - startedAt
    for (const due = Math.min(events, Math.floor((elapsedMs * rate) / 1000)); sent < due; sent++) {
      const { value } = load.next()
      const { subject, payload, messageId } = value!
      if (sent >= rate * warmUpSeconds) lagMs.push(elapsedMs - (sent * 1000) / rate)
      publisher.publish(subject, payload, ['Nats-Msg-Id', messageId], error => {
        if (error === undefined) acknowledged++
        else failure ??= error
      })
    }
    await sleep(1)
  }
  while (acknowledged < events) {
    if (failure !== undefined) throw failure
    await sleep(5)
  }
  publisher.close()
  return { events, lagMs }
}

/** Sorted milliseconds from stored event to stored trigger, of events after the first `skip`. */
async function samplesOf(rig: Rig, events: number, skip: number): Promise<Float64Array> {
  const names = new Names()
  const { connection, streams, config } = rig
  const limits = limitsOf(config, rig.pipeline.partitions)
  const storedMs = new Float64Array(events + 1)
  const source = { stream: names.streams.events, filter: names.eventSubjects(), count: events, limits }
  await readStream(connection, streams, source, batch => {
    batch.events.forEach(({ seq }, at) => (storedMs[seq] = batch.brokerMs[at]!))
  })
  const { lastSeq: triggers } = await streams.freshFacts(names.streams.triggers)
  const effects = { stream: names.streams.triggers, filter: names.laneSubjects('triggers'), count: triggers, limits }
  const samples: number[] = []
  await readStream(connection, streams, effects, batch => {
    batch.events.forEach((trigger, at) => {
      if (trigger.origin.subject.split('.')[1] === waitingTrigger) return
      const seq = causeOf(trigger)
      if (seq > skip) samples.push(batch.brokerMs[at]! - storedMs[seq]!)
    })
  })
  return Float64Array.from(samples).sort()
}

/** Stream sequence of the event that a trigger follows. */
function causeOf({ origin, seq }: Event): number {
  for (const [name, [value]] of origin.headers ?? []) {
    const coordinate = name === positionHeader ? parseCoordinate(value ?? '') : undefined
    if (coordinate !== undefined) return coordinate.seq
  }
  throw new Error(`trigger ${seq} does not say what it follows`)
}
