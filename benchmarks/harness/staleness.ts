/** How old an event is when what was made of it is first seen in the store. For pipelines of one partition. */
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../engine/clock.js'
import { limitsOf } from '../../engine/config/limits.js'
import { Names } from '../../engine/nats/names.js'
import { LatencyHistogram, type Percentiles } from './latency-histogram.js'
import { readStream } from './read-stream.js'
import type { Rig } from './rig.js'

const lookEveryMs = 5

/** What was seen committed at a moment. */
export interface Sighting {
  /** Epoch milliseconds, after the answer of the store. */
  readonly atMs: number
  /** Position up to which everything is in the store. */
  readonly position: number
}

/** Looks from its making on. */
export class StalenessWatch {
  readonly #sightings: Sighting[] = []
  readonly #looking: Promise<void>
  #isOver = false

  constructor(private readonly rig: Rig) {
    this.#looking = this.#look()
  }

  /** Ends the watch. Milliseconds from when the broker stored an event to when it was seen, of events after position `after`. */
  async stop(after: number): Promise<Percentiles | undefined> {
    this.#isOver = true
    await this.#looking
    const { connection, streams, config, pipeline } = this.rig
    const names = new Names()
    const { lastSeq } = await streams.freshFacts(names.streams.events)
    const limits = limitsOf(config, pipeline.partitions)
    const part = { stream: names.streams.events, filter: names.eventSubjects(), after, count: lastSeq - after, limits }
    const stale = new StalenessHistogram(this.#sightings, after)
    await readStream(connection, streams, part, ({ events, brokerMs }) => {
      events.forEach(({ seq }, at) => stale.add(seq, brokerMs[at]!))
    })
    return stale.percentiles()
  }

  async #look(): Promise<void> {
    while (!this.#isOver) {
      const meta = await this.rig.store.readMeta(0)
      const position = meta?.position ?? 0
      const atMs = systemClock.wallMs()
      if (position > (this.#sightings.at(-1)?.position ?? 0)) this.#sightings.push({ atMs, position })
      await sleep(lookEveryMs)
    }
  }
}

/** Takes the events in the order of the stream. Those that were never seen do not count: the outcome's check finds them. */
export class StalenessHistogram {
  readonly #histogram = new LatencyHistogram()
  #next = 0

  constructor(
    private readonly sightings: readonly Sighting[],
    private readonly after: number,
  ) {}

  add(seq: number, storedMs: number): void {
    while (this.#next < this.sightings.length && this.sightings[this.#next]!.position < seq) this.#next++
    const seen = this.sightings[this.#next]
    if (seq > this.after && seen !== undefined) this.#histogram.record(seen.atMs - storedMs)
  }

  percentiles(): Percentiles | undefined {
    return this.#histogram.percentiles()
  }
}
