/**
 * The life of one shopper, worked out a second time from what the definition in `pipeline.ts` means: plainly, from the list of
 * all that happened to the person, with nothing kept that can be counted again.
 *
 * Time moves from event to event. In between lie the moments at which time alone matters: a view leaves the window of recent
 * views, or a cart has been left alone for a second.
 */

/** An event that counts. */
export interface Fact {
  readonly seq: number
  /** The partition's time, whole epoch milliseconds. */
  readonly now: number
  /** When it happened; not later than `now`. */
  readonly at: number
  readonly type: string
  readonly value: Readonly<Record<string, unknown>>
  /** Of the product viewed, when the catalogue has it. */
  readonly category?: string | undefined
}

/** Something that must have been published, once. */
export interface Effect {
  readonly lane: 'triggers' | 'suppressed' | 'segments'
  /** Trigger or segment. */
  readonly name: string
  /** Why it was suppressed, or how the segment changed. */
  readonly detail?: string
  readonly key: string
  readonly at: number
  /** Last event of the partition at or before it. */
  readonly seq: number
  readonly data?: unknown
  /** False when time alone brought it. */
  readonly isDirect: boolean
}

interface Wait {
  readonly dueAt: number
  readonly cartId: string
}

const second = 1_000
const hour = 3_600 * second
const day = 24 * hour
/** More carts than this are not watched at a time. */
const mostWaits = 16

export class Shopper {
  readonly effects: Effect[] = []
  readonly #facts = new Map<string, Fact[]>()
  /** Views that have not left the short window yet, so that an eager shopper's life is not counted over and over. */
  #freshViews: Fact[] = []
  #clock = 0
  #waits: Wait[] = []
  readonly #entered = new Map<string, number>()
  readonly #fired = new Map<string, number[]>()
  /** Conditions that held when they were last looked at. */
  readonly #held = new Set<string>()

  constructor(
    readonly key: string,
    /** Sequence of the last event of the partition whose time lies before the given one. */
    private readonly seqBefore: (now: number) => number,
  ) {}

  happen(fact: Fact): void {
    this.passTime(fact.now)
    const { type, value, now, seq } = fact
    this.#remember(fact)
    const here = { at: now, seq, isDirect: true }
    this.#lookAtStates(here)
    if (type === 'signed_up') this.#fire('welcome', here, { plan: value.plan, country: value.country })
    if (type === 'checkout_completed') this.#waits = this.#waits.filter(wait => wait.cartId !== value.cartId)
    if (type === 'cart_updated') {
      this.#waits = this.#waits.filter(wait => wait.cartId !== value.cartId)
      this.#waits.push({ dueAt: now + second, cartId: value.cartId as string })
      this.#waits.sort(byDueThenCart)
      if (this.#waits.length > mostWaits) {
        this.#waits.shift()
        this.#publish('suppressed', 'cart_abandoned', here, 'too_many_waits')
      }
    }
    if (type === 'product_viewed' && this.#begins('browse_intent', this.recentViews(now) >= 5)) {
      this.#fire('browse_intent', here, { categories: this.topCategories().map(({ value }) => value) })
    }
  }

  /** Everything that time alone brings up to and including this moment. */
  passTime(until: number): void {
    for (;;) {
      this.#freshViews = this.#freshViews.filter(view => leavesWindowAt(view.at, 2 * second) > this.#clock)
      const leaving = this.#freshViews.map(view => leavesWindowAt(view.at, 2 * second))
      const due = this.#waits.map(wait => wait.dueAt)
      const next = Math.min(...leaving, ...due)
      if (next > until || next === Infinity) break
      this.#clock = next
      this.#moment({ at: next, seq: this.seqBefore(next), isDirect: false })
    }
    this.#clock = Math.max(this.#clock, until)
  }

  /** What the profile must show, `undefined` for values that it has not. */
  traits(now: number): Record<string, unknown> {
    const views = this.#all('product_viewed')
    return {
      email: this.#latest('signed_up')?.value.email,
      plan: this.#latest('signed_up')?.value.plan,
      sessions: this.#all('session_started').length,
      lastSeen: this.#latest('session_started')?.value.occurredAt,
      views: views.length,
      viewsRecent: this.recentViews(now),
      products: new Set(views.map(view => view.value.productId)).size,
      recentProducts: [...views]
        .sort(latestFirst)
        .slice(0, 5)
        .map(view => view.value.productId),
      topCategories: this.topCategories(),
      cart: this.#cart(),
      orders: this.#all('checkout_completed').length,
      spend: total(this.#all('checkout_completed')),
      spendRecent: total(this.#all('checkout_completed').filter(order => isInWindow(order.at, now, hour))),
    }
  }

  /** Segments with the time of entering. */
  segments(): Record<string, number> {
    return Object.fromEntries(this.#entered)
  }

  recentViews(now: number): number {
    return this.#freshViews.filter(view => isInWindow(view.at, now, 2 * second)).length
  }

  topCategories(): { value: string; count: number }[] {
    const counts = new Map<string, number>()
    for (const { category } of this.#all('product_viewed')) {
      if (category !== undefined) counts.set(category, (counts.get(category) ?? 0) + 1)
    }
    const rows = [...counts].map(([value, count]) => ({ value, count }))
    return rows.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1)).slice(0, 3)
  }

  #moment(here: Here): void {
    this.#lookAtStates(here)
    while (this.#waits.length > 0 && this.#waits[0]!.dueAt <= here.at) {
      const { cartId } = this.#waits.shift()!
      const value = this.#cart()
      if ((value ?? 0) >= 75) this.#fire('cart_abandoned', here, { cart: cartId, value })
    }
  }

  /** What depends on the state alone, whatever changed it. */
  #lookAtStates(here: Here): void {
    const orders = this.#all('checkout_completed')
    const spend = total(orders)
    this.#lookAtSegment('vip', spend >= 1000, here)
    this.#lookAtSegment('browsing', this.recentViews(here.at) >= 3, here)
    if (this.#begins('big_spender', spend >= 500)) this.#fire('big_spender', here, { spend, orders: orders.length })
  }

  #lookAtSegment(name: string, isInside: boolean, here: Here): void {
    if (isInside === this.#entered.has(name)) return
    if (isInside) this.#entered.set(name, here.at)
    else this.#entered.delete(name)
    this.#publish('segments', name, here, isInside ? 'entered' : 'exited')
  }

  #begins(name: string, holds: boolean): boolean {
    const held = this.#held.has(name)
    if (holds) this.#held.add(name)
    else this.#held.delete(name)
    return holds && !held
  }

  #fire(name: string, here: Here, data: unknown): void {
    const before = this.#fired.get(name) ?? []
    const isCapped = name === 'cart_abandoned' && before.filter(at => at > here.at - 7 * day).length >= 3
    const isCooling = name === 'browse_intent' && before.some(at => here.at < at + 10 * second)
    if (isCapped || isCooling) return this.#publish('suppressed', name, here, isCapped ? 'cap' : 'cooldown')
    this.#fired.set(name, [...before, here.at])
    this.effects.push({ lane: 'triggers', name, key: this.key, ...here, data })
  }

  #remember(fact: Fact): void {
    const facts = this.#facts.get(fact.type)
    if (facts === undefined) this.#facts.set(fact.type, [fact])
    else facts.push(fact)
    if (fact.type === 'product_viewed') this.#freshViews.push(fact)
  }

  #publish(lane: Effect['lane'], name: string, here: Here, detail: string): void {
    this.effects.push({ lane, name, detail, key: this.key, ...here })
  }

  #cart(): number | undefined {
    return this.#latest('cart_updated')?.value.value as number | undefined
  }

  #all(type: string): readonly Fact[] {
    return this.#facts.get(type) ?? []
  }

  #latest(type: string): Fact | undefined {
    return this.#all(type).reduce<Fact | undefined>(
      (latest, fact) => (latest === undefined || latestFirst(latest, fact) > 0 ? fact : latest),
      undefined,
    )
  }
}

type Here = Pick<Effect, 'at' | 'seq' | 'isDirect'>

/** Whole and exact: amounts have two decimals, and cents add up without rounding. */
function total(orders: readonly Fact[]): number {
  return orders.reduce((cents, order) => cents + Math.round((order.value.total as number) * 100), 0) / 100
}

/** A window is made of at most 60 tiles of whole milliseconds; the newest one is the one that `now` lies in. */
function tilesOf(windowMs: number): { tileMs: number; tiles: number } {
  const tileMs = Math.ceil(windowMs / 60)
  return { tileMs, tiles: Math.ceil(windowMs / tileMs) }
}

export function isInWindow(at: number, now: number, windowMs: number): boolean {
  return at <= now && now < leavesWindowAt(at, windowMs)
}

export function leavesWindowAt(at: number, windowMs: number): number {
  const { tileMs, tiles } = tilesOf(windowMs)
  return (Math.floor(at / tileMs) + tiles) * tileMs
}

function latestFirst(a: Fact, b: Fact): number {
  return b.at - a.at || b.seq - a.seq
}

function byDueThenCart(a: Wait, b: Wait): number {
  return a.dueAt - b.dueAt || (a.cartId < b.cartId ? -1 : 1)
}
