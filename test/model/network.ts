/**
 * Requests and their replies, in ticks. Either may get lost, and either may arrive long after whoever sent it has given up, was
 * paused or replaced.
 */
import type { Random } from '../../examples/shop/random.js'

/** A piece of a process: runs until it has to wait, once a tick. */
export type Task<Result> = Generator<undefined, Result, undefined>

/** There was no answer. Whether the request was carried out is unknown. */
export const silence = Symbol('silence')

/** Triggers go to NATS too; theirs may be late when other requests are not. */
export type Link = 'redis' | 'nats' | 'triggers'

const boundTicks = 8
const lostChance = 0.01
const latestTicks = 90

export class Network {
  now = 0
  #isTroubled = true
  /** No request gets through before. */
  readonly downUntil: Record<Link, number> = { redis: 0, nats: 0, triggers: 0 }
  #arrivals = new Map<number, (() => void)[]>()
  #lastArrivalAt = 0

  constructor(
    private readonly random: Random,
    private readonly lateChance: Record<Link, number>,
  ) {}

  /** True when nothing that was late is still on its way. */
  get isQuiet(): boolean {
    return this.#lastArrivalAt < this.now
  }

  get isTroubled(): boolean {
    return this.#isTroubled
  }

  /** From here on everything sent arrives at once; what is late already stays late. */
  heal(): void {
    this.#isTroubled = false
    this.downUntil.redis = this.downUntil.nats = this.downUntil.triggers = 0
  }

  /** Everything that arrives in this tick. */
  tick(): void {
    this.now++
    const arrived = this.#arrivals.get(this.now)
    this.#arrivals.delete(this.now)
    for (const arrive of arrived ?? []) arrive()
  }

  /** Sends a request and waits for its reply: `silence` after a bound, or never when there is none. */
  ask<Reply>(link: Link, isBounded: boolean, request: () => Reply): Task<Reply | typeof silence> {
    return this.askInParts(link, isBounded, [() => ({ reply: request() })])
  }

  /** The same with a request in several parts, each of which may get lost or come late, and may be replied to. */
  *askInParts<Reply>(
    link: Link,
    isBounded: boolean,
    parts: readonly (() => { readonly reply: Reply } | undefined)[],
  ): Task<Reply | typeof silence> {
    const askedAt = this.now
    // An array, because the reply itself may be undefined.
    const replies: Reply[] = []
    for (const part of parts) {
      this.#send(link, () => {
        if (this.now < this.downUntil[link]) return
        const answer = part()
        if (answer !== undefined) this.#send(link, () => replies.push(answer.reply))
      })
    }
    while (replies.length === 0) {
      if (isBounded && this.now - askedAt >= boundTicks) return silence
      yield
    }
    return replies[0]!
  }

  #send(link: Link, arrive: () => void): void {
    const { random } = this
    if (this.#isTroubled && random.chance(lostChance)) return
    let delayTicks = 1
    if (this.#isTroubled && random.chance(this.lateChance[link])) {
      delayTicks = random.whole(2, latestTicks)
      this.#lastArrivalAt = Math.max(this.#lastArrivalAt, this.now + delayTicks)
    }
    const at = this.now + delayTicks
    const others = this.#arrivals.get(at)
    if (others === undefined) this.#arrivals.set(at, [arrive])
    else others.push(arrive)
  }
}
