/**
 * Events as producers would send them, with what goes wrong in real ones: sent twice (soon, and long after), late, out of order,
 * ahead of the clock, damaged, impossible, poisonous, too large, under another person's subject. One person in twenty events
 * is always the same one.
 *
 * The same seed and clock give the same events. Every key, id and text holds the marker, so that a log can be searched for it.
 */
import { createHash } from 'node:crypto'
import { type Random, seeded, skewedRank } from '../../../examples/shop/random.js'

export interface GeneratedEvent {
  /** `events.chaos.<type>.<user>`: what a producer publishes to. */
  readonly subject: string
  readonly payload: Buffer
}

export interface GeneratorOptions {
  readonly seed: number
  readonly marker: string
  readonly users: number
}

/** Share of all events. */
const shares = {
  hot: 0.05,
  copies: 0.02,
  oldCopies: 0.005,
  late: 0.01,
  outOfOrder: 0.05,
  ahead: 0.005,
  farFuture: 0.0005,
  damaged: 0.001,
  nobody: 0.0005,
  negative: 0.001,
  poison: 0.0003,
  oversize: 0.0003,
  otherSubject: 0.0005,
}

const recentCount = 2_000
/** A copy of an event this old is a new event: the memory of `dedupe` covers 8 seconds, in buckets of one. */
const oldAfterMs = 10_000
/** Twice what a profile may hold. */
const oversizeTag = 'x'.repeat(32 * 1024)
const pages = 40
const tags = 12

interface Kept extends GeneratedEvent {
  readonly sentAt: number
}

/** Follows from the seed, because keys hold it and decide the partition: the same seed gives each partition the same events. */
export function markerOf(seed: number): string {
  return `mk${createHash('sha256').update(String(seed)).digest('hex').slice(0, 12)}`
}

export class Generator {
  readonly #random: Random
  readonly #recent: Kept[] = []
  /** Every hundredth event, oldest first. */
  readonly #old: Kept[] = []
  #made = 0

  constructor(private readonly options: GeneratorOptions) {
    this.#random = seeded(options.seed)
  }

  /** The next event; `now` is epoch milliseconds. */
  next(now: number): GeneratedEvent {
    const random = this.#random
    if (random.chance(shares.copies) && this.#recent.length > 0) return random.pick(this.#recent)
    if (random.chance(shares.oldCopies) && this.#old.length > 0 && this.#old[0]!.sentAt < now - oldAfterMs) {
      return this.#old.shift()!
    }
    const number = this.#made++
    const event = { ...this.#make(number, now), sentAt: now }
    this.#recent[number % recentCount] = event
    if (number % 100 === 0) this.#old.push(event)
    return event
  }

  #make(number: number, now: number): GeneratedEvent {
    const random = this.#random
    const { marker } = this.options
    const user = random.chance(shares.hot) ? `${marker}-hot` : `${marker}-${skewedRank(random, this.options.users, 50)}`
    const [type, fields] = this.#fields(number)
    const sent = { id: `${marker}-e${number}`, user, at: this.#occurredAt(now), ...fields }
    const value = random.chance(shares.nobody) ? { ...sent, user: undefined } : sent
    const owner = random.chance(shares.otherSubject) ? `${user}-other` : user
    const text = JSON.stringify(value)
    // Cut short, or something that is JSON and no object.
    const damaged = () => (random.chance(0.5) ? text.slice(0, random.whole(1, text.length - 1)) : `[${text}]`)
    const payload = random.chance(shares.damaged) ? damaged() : text
    return { subject: `events.chaos.${type}.${owner}`, payload: Buffer.from(payload) }
  }

  #fields(number: number): readonly [type: string, fields: object] {
    const random = this.#random
    const { marker } = this.options
    const lot = random.number()
    if (lot < 0.7) {
      const visit = { amount: random.whole(1, 2_000) / 100, page: `p${random.whole(1, pages)}` }
      const tag = `${marker}-t${random.whole(1, tags)}`
      if (random.chance(shares.poison)) return ['visit', { ...visit, tag, amount: `poison ${marker}` }]
      if (random.chance(shares.oversize)) return ['visit', { ...visit, tag: `${oversizeTag}${number}` }]
      if (random.chance(shares.negative)) return ['visit', { ...visit, tag, amount: -visit.amount }]
      return ['visit', { ...visit, tag }]
    }
    // Few carts, so that waits are started anew and ended; sometimes many, so that there are too many.
    const cart = `c${random.chance(0.9) ? random.whole(1, 3) : random.whole(4, 60)}`
    const fields = { cart, value: random.whole(0, 100) }
    if (lot < 0.85) return ['cart', fields]
    return lot < 0.93 ? ['buy', fields] : ['noise', { text: marker }]
  }

  #occurredAt(now: number): number {
    const random = this.#random
    const sent = now - random.whole(0, 30)
    const lot = random.number()
    let edge = shares.late
    if (lot < edge) return sent - random.whole(2_500, 600_000)
    if (lot < (edge += shares.outOfOrder)) return sent - random.whole(0, 2_000)
    if (lot < (edge += shares.ahead)) return sent + random.whole(1, 1_000)
    if (lot < edge + shares.farFuture) return sent + 3_600_000
    return sent
  }
}
