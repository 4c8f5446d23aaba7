/** The load of a drain: a workload's events, in the stream before anything is measured. */
import { PublishWindow } from '../../engine/cli/publish-window.js'
import { systemClock } from '../../engine/clock.js'
import { Names } from '../../engine/nats/names.js'
import { partitionOf } from '../../engine/nats/partitioning.js'
import { Publisher } from '../../engine/nats/publisher.js'
import type { BenchOptions } from '../question.js'
import type { Message, Tally } from '../workloads/workload.js'
import type { Rig } from './rig.js'

/** Which stream sequences each partition has. */
export class Backlog {
  readonly #seqs: number[][]
  events = 0
  payloadBytes = 0

  constructor(
    private readonly partitions: number,
    /** What must come of the events, where the workload knows. */
    readonly tally?: Tally,
  ) {
    this.#seqs = Array.from({ length: partitions }, () => [])
  }

  /** Takes note of the next event of the stream. */
  add(message: Message): void {
    const { subject, payload } = message
    const key = subject.slice(subject.lastIndexOf('.') + 1)
    this.#seqs[partitionOf(key, this.partitions)]!.push(++this.events)
    this.payloadBytes += payload.length
    this.tally?.add(message)
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
export async function publishBacklog(
  rig: Rig,
  { events, seed, users }: Pick<BenchOptions, 'events' | 'seed' | 'users'>,
): Promise<Backlog> {
  const publisher = new Publisher(rig.connection)
  const window = new PublishWindow(publisher)
  const backlog = new Backlog(rig.workload.partitions, rig.workload.tally?.())
  const clock = () => Math.floor(systemClock.wallMs())
  for (const message of rig.workload.messages({ seed, events, users, clock })) {
    await window.room()
    window.publish(backlog.events, message.subject, message.payload, ['Nats-Msg-Id', message.messageId])
    backlog.add(message)
  }
  await window.drained()
  publisher.close()
  const { lastSeq } = await rig.streams.freshFacts(new Names().streams.events)
  if (window.acknowledged !== events || lastSeq !== events) {
    throw new Error(`published ${events} events, ${window.acknowledged} acknowledged, the stream holds ${lastSeq}`)
  }
  return backlog
}
