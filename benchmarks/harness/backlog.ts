/** The load: events of the example shop, in the stream before anything is measured. */
import { join } from 'node:path'
import { PublishWindow } from '../../engine/cli/publish-window.js'
import { systemClock } from '../../engine/clock.js'
import { Names } from '../../engine/nats/names.js'
import { partitionOf } from '../../engine/nats/partitioning.js'
import { Publisher } from '../../engine/nats/publisher.js'
import { readSchemas } from '../../examples/shop/avro.js'
import { generate } from '../../examples/shop/generator.js'
import { type Rig, shopFolder } from './rig.js'

/** Which stream sequences each partition has. */
export class Backlog {
  readonly #seqs: number[][]
  events = 0
  payloadBytes = 0

  constructor(private readonly partitions: number) {
    this.#seqs = Array.from({ length: partitions }, () => [])
  }

  /** Takes note of the next event of the stream, published to `events.<source>.<type>.<key>`. */
  add(subject: string, payloadBytes: number): void {
    const key = subject.slice(subject.lastIndexOf('.') + 1)
    this.#seqs[partitionOf(key, this.partitions)]!.push(++this.events)
    this.payloadBytes += payloadBytes
  }

  /** Events of each partition. */
  get counts(): number[] {
    return this.#seqs.map(seqs => seqs.length)
  }

  /** Last stream sequence of each partition, 0 when it has none. */
  get lastSeqs(): number[] {
    return this.#seqs.map(seqs => seqs.at(-1) ?? 0)
  }

  /** How many of a partition's events lie at or before a position. */
  upTo(partition: number, position: number): number {
    const seqs = this.#seqs[partition]!
    let [low, high] = [0, seqs.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (seqs[middle]! <= position) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Fills the empty event stream. Throws unless every event is stored, once and in order. */
export async function publishBacklog(rig: Rig, events: number, seed: number): Promise<Backlog> {
  const schemas = await readSchemas(join(shopFolder, 'schemas'))
  const publisher = new Publisher(rig.connection)
  const window = new PublishWindow(publisher)
  const backlog = new Backlog(rig.pipeline.partitions)
  const clock = () => Math.floor(systemClock.wallMs())
  for (const { subject, payload, messageId } of generate(schemas, { seed, events, clock })) {
    await window.room()
    window.publish(backlog.events, subject, payload, ['Nats-Msg-Id', messageId])
    backlog.add(subject, payload.length)
  }
  await window.drained()
  publisher.close()
  const { lastSeq } = await rig.streams.freshFacts(new Names().streams.events)
  if (window.acknowledged !== events || lastSeq !== events) {
    throw new Error(`published ${events} events, ${window.acknowledged} acknowledged, the stream holds ${lastSeq}`)
  }
  return backlog
}
