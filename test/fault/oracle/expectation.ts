/** What must have come of the events of one partition: everything published, in order, and every profile. */
import { createHash } from 'node:crypto'
import { canonical } from './canonical.js'
import { Moments } from './moments.js'
import { ruleOn, SeenIds, type Fact, type Refusal } from './rules.js'
import type { StoredMessage } from './stored-messages.js'
import { Visitor, type Decision } from './visitor.js'

export const lanes = ['triggers', 'suppressed', 'segments', 'deadletters'] as const
export type Lane = (typeof lanes)[number]

/** One message that must be published exactly once. */
export interface ExpectedEffect {
  readonly subject: string
  /** Everything the message must say but its id. */
  readonly says: string
  /** When the broker stored the event that caused it; `undefined` when time alone did. */
  readonly causedAtMs: number | undefined
}

/** From which logical position on which edition of the definition decides; ascending, the first one from the start. */
export type Editions = readonly { readonly from: number; readonly edition: 1 | 2 }[]

export class Expectation {
  /** By lane, then by position `<seq>:<ordinal>`, in the order of publishing. */
  readonly effects: Readonly<Record<Lane, Map<string, ExpectedEffect>>> = {
    triggers: new Map(),
    suppressed: new Map(),
    segments: new Map(),
    deadletters: new Map(),
  }
  events = 0
  applied = 0
  duplicates = 0
  readonly #visitors = new Map<string, Visitor>()
  readonly #moments = new Moments()
  readonly #seen = new SeenIds()
  #now = 0
  #seq = 0
  #ordinal = 0
  #causedAtMs: number | undefined

  constructor(
    private readonly partition: number,
    private readonly partitions: number,
    private readonly editions: Editions,
  ) {}

  /** Messages of the partition, in order; `offset` is what was added to their sequences. */
  take(message: StoredMessage, offset = 0): void {
    this.#passTime(Math.max(this.#now, Math.floor(message.brokerMs)))
    this.events++
    this.#seq = message.seq + offset
    this.#ordinal = 0
    this.#causedAtMs = message.brokerMs
    const ruling = ruleOn(message, this.#seq, this.#now, this.#seen, this.partition, this.partitions)
    if (ruling.kind === 'duplicate') this.duplicates++
    else if (ruling.kind === 'refused') this.#refuse(ruling.refusal, message)
    else this.#apply(ruling.fact)
    this.#causedAtMs = undefined
  }

  /** All that time alone still brings. */
  finish(): void {
    this.#passTime(Infinity)
  }

  /** Canonical text of every profile that must be stored, by key, once everything that time alone brings has happened. */
  profiles(): Map<string, string> {
    const kept = [...this.#visitors.values()].filter(visitor => visitor.exists)
    return new Map(kept.map(visitor => [visitor.key, canonical(visitor.view(Infinity))]))
  }

  #apply(fact: Fact): void {
    this.applied++
    let visitor = this.#visitors.get(fact.key)
    if (visitor === undefined) this.#visitors.set(fact.key, (visitor = new Visitor(fact.key)))
    visitor.happen(fact, this.#edition(), decision => this.#publish(fact.key, decision))
    this.#watch(visitor)
  }

  #passTime(until: number): void {
    for (;;) {
      const moment = this.#moments.take(until)
      if (moment === undefined) break
      const visitor = this.#visitors.get(moment.key)!
      // The visitor has moved it since.
      if (visitor.nextMoment !== moment.at) continue
      visitor.pass(moment.at, decision => this.#publish(moment.key, decision))
      this.#watch(visitor)
    }
    this.#now = until
  }

  #watch({ nextMoment: at, key }: Visitor): void {
    if (at < Infinity) this.#moments.add({ at, key })
  }

  #edition(): 1 | 2 {
    return this.editions.findLast(({ from }) => from < this.#seq)?.edition ?? 1
  }

  #publish(key: string, { lane, name, detail, at, data }: Decision): void {
    const subject = [lane, name, ...(detail === undefined ? [] : [detail]), this.partition].join('.')
    const what = lane === 'segments' ? { segment: name, change: detail } : { trigger: name, reason: detail }
    this.#expect(lane, subject, canonical({ ...what, profile: 'visitor', key, at, seq: this.#seq, data }))
  }

  #refuse({ stage, reason, key }: Refusal, { seq, payload }: StoredMessage): void {
    const subject = `deadletters.${stage}.${reason}.${this.partition}`
    this.#expect('deadletters', subject, canonical({ stage, reason, key, seq, payload: digest(payload) }))
  }

  #expect(lane: Lane, subject: string, says: string): void {
    const position = `${this.#seq}:${this.#ordinal++}`
    this.effects[lane].set(position, { subject, says, causedAtMs: this.#causedAtMs })
  }
}

/** Short text that stands for bytes. */
export function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64')
}
