/** The broker of the model, for one partition: the event stream, the stream of triggers, and the note about the definition. */
import type { Definition, StreamEvent, Trigger } from './definition.js'

export interface Consumer {
  readonly generation: number
  /** Events delivered so far; the next one has this number plus one. */
  delivered: number
  lastSeq: number
}

export interface Delivery {
  readonly number: number
  readonly event: StreamEvent
}

export interface Published {
  readonly sequence: number
  readonly publishedAt: number
  readonly trigger: Trigger
}

/** A message of a fast batch. */
export interface Part {
  readonly batch: string
  /** From 1 on. */
  readonly number: number
  readonly isLast: boolean
  readonly trigger: Trigger
}

interface FastBatch {
  /** Of its last message. */
  number: number
  at: number
  /** Sequence of the last one that was stored; 0 for none. */
  sequence: number
}

/** What the broker knows about the definition in force; `change` counts the definitions that were. */
export interface DefinitionNote {
  readonly change: number
  readonly definition: Definition
  /** In force for the events behind this position. */
  readonly from: number
}

export class Broker {
  readonly #events: StreamEvent[] = []
  readonly #published: Published[] = []
  readonly #batches = new Map<string, FastBatch>()
  readonly #notes: DefinitionNote[]
  /** Consumers do not survive that an older store is brought back. */
  #generation = 0

  /** `windowTicks`: how long ids of published messages are known; `batchTicks`: how long a fast batch may rest. */
  constructor(
    private readonly windowTicks: number,
    private readonly batchTicks: number,
    note: DefinitionNote,
  ) {
    this.#notes = [note]
  }

  get events(): readonly StreamEvent[] {
    return this.#events
  }

  get published(): readonly Published[] {
    return this.#published
  }

  /** All that were ever taken, oldest first; only the last one can be read by an owner. */
  get notes(): readonly DefinitionNote[] {
    return this.#notes
  }

  append(event: Omit<StreamEvent, 'seq'>): void {
    this.#events.push({ ...event, seq: this.#events.length + 1 })
  }

  /** An older store is brought back: acknowledged events are gone. */
  loseEventsAfter(seq: number): void {
    this.#events.splice(seq)
    this.#generation++
  }

  open(lastSeq: number): Consumer {
    return { generation: this.#generation, delivered: 0, lastSeq }
  }

  /** What comes next, at most `most`; `gone` when the consumer does not exist any more. */
  deliver(consumer: Consumer, most: number): readonly Delivery[] | 'gone' {
    if (consumer.generation !== this.#generation) return 'gone'
    return this.#events.slice(consumer.lastSeq, consumer.lastSeq + most).map(event => {
      consumer.lastSeq = event.seq
      return { number: ++consumer.delivered, event }
    })
  }

  /** The trigger published last. */
  last(): Published | undefined {
    return this.#published.at(-1)
  }

  /**
   * All or none. With `expected`, only if that is the sequence of the last one (0 for none). What was published within the
   * window is not stored again. Gives the sequence of the last one after it.
   */
  publish(group: readonly Trigger[], expected: number | undefined, now: number): number | 'refused' {
    const last = this.last()?.sequence ?? 0
    if (expected !== undefined && expected !== last) return 'refused'
    for (const trigger of group) this.#store(trigger, now)
    return this.#published.length
  }

  /**
   * A message is stored only on top of the one before in its batch, the first one on top of `expected`. A repetition is passed over, also
   * as the first one, which is not compared then. The last one is answered with the sequence of the last one that was stored, if any.
   */
  publishPart(
    { batch: id, number, isLast, trigger }: Part,
    expected: number,
    now: number,
  ): number | 'refused' | undefined {
    const known = this.#batches.get(id)
    const isOpen = known !== undefined && now - known.at <= this.batchTicks
    this.#batches.delete(id)
    if (number !== (isOpen ? known.number : 0) + 1) return 'refused'
    const isMisplaced = number === 1 && expected !== (this.last()?.sequence ?? 0)
    if (isMisplaced && !this.#remembers(trigger, now)) return 'refused'
    const isStored = this.#store(trigger, now)
    const sequence = isStored ? this.#published.length : isOpen ? known.sequence : 0
    if (isLast) return sequence === 0 ? 'refused' : sequence
    this.#batches.set(id, { number, at: now, sequence })
    return undefined
  }

  #remembers(trigger: Trigger, now: number): boolean {
    return this.#published.some(
      ({ publishedAt, trigger: { at } }) => at === trigger.at && publishedAt > now - this.windowTicks,
    )
  }

  #store(trigger: Trigger, now: number): boolean {
    if (this.#remembers(trigger, now)) return false
    this.#published.push({ sequence: this.#published.length + 1, publishedAt: now, trigger })
    return true
  }

  note(): DefinitionNote {
    return this.#notes.at(-1)!
  }

  /** False when the last note is not the expected one. */
  takeNote(note: DefinitionNote, expected: DefinitionNote | undefined): boolean {
    if (expected !== undefined && this.note() !== expected) return false
    this.#notes.push(note)
    return true
  }
}
