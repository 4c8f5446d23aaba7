/**
 * Publishes the entries of one lane so that the broker refuses what does not follow the last one known: a publish carries the
 * stream sequence of this partition's last message in the lane. Whoever is late, because it was stopped or cut off, is refused,
 * however long ago that was; then it reads how far the lane has come and leaves out what is there.
 *
 * The sequence is known only after the acknowledgement, so one group is in flight at a time: all that waits, as a fast batch, where
 * the stream takes those; an atomic batch where it takes only these and enough is waiting; a single message otherwise. What is decided
 * meanwhile is the next group.
 */
import { MillraceError } from '../errors.js'
import { maxFastEntries } from '../nats/fence.js'
import type { Publisher } from '../nats/publisher.js'
import type { Floor } from '../partition/floors.js'
import { isAfter } from './outbox-entry.js'
import type { Sender, SenderEvents, Slot } from './outbox.js'

export interface FencedSenderOptions {
  readonly publisher: Pick<Publisher, 'publishGroup'>
  /** False when the lease may have run out: nothing is sent until it was renewed. Asked before each write. */
  readonly maySend: () => boolean
  /** Matches this partition's messages in the lane. */
  readonly filter: string
  /** How far the lane had come when the partition was attached. */
  readonly floor: Floor
  /** How far it has come by now. */
  readonly readFloor: () => Promise<Floor>
}

/**
 * For an atomic batch the server makes a store of its own on disk and removes it, however small the batch is, and every partition's
 * publishes to the stream wait meanwhile: on 2.15.2 10 to 15 ms, where a single message takes 0.4 ms and a fast batch of 16 takes 0.4,
 * of 256 takes 1.9. At 32,000 events/s half of the triggers were out after 154 ms (16 partitions) and 40 ms (4) with atomic batches
 * from 16 entries on, after 10 to 13 and 4 to 6 from 64 on; from 96 on it is slower again.
 */
const minAtomicEntries = 64
const maxAtomicEntries = 256
const maxGroupBytes = 256 * 1024
const retryMs = 250
const notFenced = 'the server does not check any more what a publish follows'

export class FencedSender implements Sender {
  #waiting: Slot[] = []
  /** A group is on its way. */
  #isSent = false
  /** Nothing may be sent: a group is on its way, or where the lane ends is being found out. */
  #isBusy = false
  #isClosed = false
  #whenAnswered: (() => void) | undefined
  /** After a failure one message goes first: a batch is refused as a whole when the broker remembers one of its ids. */
  #isCareful = false
  /**
   * Entries at the front that may have been sent before, by this owner or the one before it. A leader that lost its place and got it back
   * may know the ids of messages that it proposed and never stored. In a fast batch it passes over those; a single one it refuses
   * until it has forgotten the id.
   */
  #doubtful: number | undefined
  #floor: Floor
  #retry: NodeJS.Timeout | undefined

  constructor(
    private readonly options: FencedSenderOptions,
    private readonly events: SenderEvents,
  ) {
    this.#floor = options.floor
  }

  add(slot: Slot): void {
    this.#waiting.push(slot)
  }

  send(): void {
    const { publisher, maySend, filter } = this.options
    // What is there before anything is sent was left by the owner before, who had one group on its way.
    this.#doubtful ??= Math.min(this.#waiting.length, maxFastEntries)
    if (this.#isBusy || this.#isClosed || this.#waiting.length === 0 || !maySend()) return
    this.#isBusy = this.#isSent = true
    const group = this.#nextGroup()
    const entries = group.map(({ entry }) => entry)
    const options = { filter, lastSeq: this.#floor.streamSeq, isFast: this.#floor.fence === 'fast_batch' }
    publisher.publishGroup(entries, options, (failure, isDuplicate, streamSeq) => {
      this.#isBusy = this.#isSent = false
      this.#whenAnswered?.()
      if (this.#isClosed) return
      if (failure !== undefined) {
        this.#doubtful = Math.max(this.#doubtful ?? 0, group.length)
        return this.#recover(failure)
      }
      this.#isCareful = false
      this.#leave(group.length)
      const { seq, ordinal } = entries.at(-1)!
      this.#floor = { ...this.#floor, coordinate: { seq, ordinal }, streamSeq }
      for (const slot of group) this.events.acknowledged(slot, isDuplicate)
      // A repetition is acknowledged with its own place, which need not be the last.
      if (isDuplicate) this.#look()
      else this.send()
    })
  }

  close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    if (!this.#isSent) return Promise.resolve()
    return new Promise(resolve => (this.#whenAnswered = resolve))
  }

  #nextGroup(): Slot[] {
    const { fence, isReplicated } = this.#floor
    const isFast = fence === 'fast_batch' && (!isReplicated || this.#doubtful === 0)
    const isBatch = isFast || (fence === 'batch' && this.#waiting.length >= minAtomicEntries)
    if (this.#isCareful || !isBatch) return this.#waiting.slice(0, 1)
    const most = fence === 'fast_batch' ? maxFastEntries : maxAtomicEntries
    let count = 0
    let bytes = 0
    while (count < this.#waiting.length && count < most && (count === 0 || bytes < maxGroupBytes)) {
      bytes += this.#waiting[count++]!.bytes
    }
    return this.#waiting.slice(0, count)
  }

  /** The first ones are with the broker. */
  #leave(count: number): void {
    this.#waiting = this.#waiting.slice(count)
    this.#doubtful = Math.max(0, (this.#doubtful ?? 0) - count)
  }

  /** A first refusal is looked into at once; what goes on failing takes its time. */
  #recover(failure: Error): void {
    const isFirst = !this.#isCareful
    this.#isCareful = true
    this.#isBusy = true
    this.events.failed(failure)
    if (isFirst) this.#look()
    else this.#retry = setTimeout(() => this.#look(), retryMs)
  }

  /** Reads how far the lane has come, and goes on from there. */
  #look(): void {
    this.#isBusy = true
    this.options.readFloor().then(
      floor => {
        if (this.#isClosed) return
        // Expectations of a partition mean something else to an older server.
        if (floor.fence === 'none') return this.events.broken(new MillraceError('publish_failed', notFenced))
        this.#isBusy = false
        // The last message may have left the stream by its age: what was known to be out is out.
        const isHigher = isAfter(floor.coordinate, this.#floor.coordinate)
        this.#floor = isHigher ? floor : { ...floor, coordinate: this.#floor.coordinate }
        const isOut = ({ entry }: Slot): boolean => !isAfter(entry, this.#floor.coordinate)
        const out = this.#waiting.filter(isOut)
        this.#leave(out.length)
        for (const slot of out) this.events.acknowledged(slot, true)
        this.send()
      },
      (error: unknown) => {
        if (this.#isClosed) return
        // A stream that is missing may be made again, also while the partition stops.
        if (error instanceof MillraceError && error.code === 'output_shared') this.events.broken(error)
        else this.#recover(error as Error)
      },
    )
  }
}
