/**
 * A batch that has been through the stages, and how far the fold has come with it. A commit has bounds, so a fold may stop
 * between two events; the rest is folded next.
 */
import type { Event } from '../event.js'
import type { Batch } from '../nats/arrivals.js'
import type { RejectedEvent, StagedEvents } from '../stages.js'

export class StagedBatch {
  #raw = 0
  #survivor = 0
  #rejected = 0

  constructor(
    private readonly batch: Batch,
    private readonly staged: StagedEvents,
  ) {}

  get isDone(): boolean {
    return this.#raw === this.batch.events.length
  }

  /** The next event as it was received; whatever the stages made of it shares its position. */
  get next(): Event {
    return this.batch.events[this.#raw]!
  }

  /** Broker's time of `next` with its fraction. */
  get nextBrokerMs(): number {
    return this.batch.brokerMs[this.#raw]!
  }

  /** The last event that was received, folded or not. */
  get last(): Event {
    return this.batch.events.at(-1)!
  }

  /** Survivors that were not taken. */
  remaining(): readonly Event[] {
    const { survivors } = this.staged
    return this.#survivor === 0 ? survivors : survivors.slice(this.#survivor)
  }

  /** Moves past the next received event. */
  advance(): void {
    this.#raw++
  }

  /** The next survivor at this position, if any is left. */
  takeSurvivor(seq: number): Event | undefined {
    const event = this.staged.survivors[this.#survivor]
    if (event === undefined || event.seq > seq) return undefined
    this.#survivor++
    return event
  }

  takeRejected(seq: number): RejectedEvent | undefined {
    const rejected = this.staged.rejected[this.#rejected]
    if (rejected === undefined || rejected.event.seq > seq) return undefined
    this.#rejected++
    return rejected
  }
}
