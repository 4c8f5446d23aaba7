/**
 * The life of one visitor, worked out a second time from what the definition means. Time moves from event to event; in between
 * lie the moments at which time alone matters: a visit leaves the window, or a cart has been left alone for a second.
 */
import type { Fact } from './rules.js'
import { FreshVisits } from './fresh-visits.js'

/** Something that must be published once. */
export interface Decision {
  readonly lane: 'triggers' | 'suppressed' | 'segments'
  readonly name: string
  /** Why it was suppressed, or how the segment changed. */
  readonly detail?: 'cap' | 'cooldown' | 'too_many_waits' | 'entered' | 'exited'
  readonly at: number
  readonly data?: unknown
}

type Tell = (decision: Decision) => void

interface Wait {
  readonly dueAt: number
  readonly cart: string
}

interface Sighting {
  readonly at: number
  readonly seq: number
  readonly value: unknown
}

const waitMs = 1_000
const mostWaits = 16

export class Visitor {
  #visits = 0
  #cents = 0
  #dearest: number | undefined
  readonly #fresh = new FreshVisits()
  readonly #pages = new Set<string>()
  readonly #tags = new Map<string, number>()
  /** Latest first, three at most. */
  #trail: Sighting[] = []
  #cart: Sighting | undefined
  #waits: Wait[] = []
  readonly #segments = new Map<string, number>()
  /** Conditions that held when they were last looked at. */
  readonly #held = new Set<string>()
  #rushedAt = -Infinity
  #leftAt: number[] = []
  readonly #changedAt = new Map<string, number>()
  #updatedAt = 0
  #lastSeq = 0

  constructor(readonly key: string) {}

  /** When time alone may matter next; everything due by then has been told. */
  get nextMoment(): number {
    return Math.min(this.#fresh.nextLeaving, this.#waits[0]?.dueAt ?? Infinity)
  }

  /** False while nothing has been kept about the visitor. */
  get exists(): boolean {
    return this.#updatedAt > 0
  }

  happen(fact: Fact, edition: 1 | 2, tell: Tell): void {
    const { type, now, seq } = fact
    if (type === 'visit') this.#visit(fact, edition)
    else if (type === 'cart') this.#note(fact, 'cart', () => (this.#cart = later(this.#cart, sighting(fact, 'value'))))
    else if (type !== 'buy') return // nothing listens to it
    this.#updatedAt = now
    this.#lastSeq = seq
    this.#lookAtSegments(now, tell)
    if (type === 'visit') this.#atVisit(fact, tell)
    else {
      this.#lookAtSpending(now, tell)
      this.#waits = this.#waits.filter(({ cart }) => cart !== fact.value['cart'])
      if (type === 'cart') this.#await(fact, tell)
      if (type === 'buy' && edition === 2) {
        this.#tellTrigger(tell, 'bought', now, { id: fact.value['id'], dearest: this.#dearest ?? null })
      }
    }
  }

  /** The moment `at` without an event; it must be `nextMoment`. */
  pass(at: number, tell: Tell): void {
    this.#fresh.leave(at)
    this.#lookAtSegments(at, tell)
    while (this.#waits.length > 0 && this.#waits[0]!.dueAt <= at) {
      const { cart } = this.#waits.shift()!
      const value = this.#cart?.value as number | undefined
      if ((value ?? 0) < 50) continue
      this.#leftAt = this.#leftAt.filter(before => before > at - 20_000)
      if (this.#leftAt.length >= 3) tell({ lane: 'suppressed', name: 'left', detail: 'cap', at })
      else {
        this.#leftAt.push(at)
        this.#tellTrigger(tell, 'left', at, { cart, value })
      }
    }
  }

  /** The profile as it must be read at `now`; `now` lies before every moment that has not passed. */
  view(now: number): Record<string, unknown> {
    return {
      key: this.key,
      traits: {
        visits: this.#visits,
        total: this.#cents / 100,
        fresh: this.#fresh.count(now),
        page: this.#trail[0]?.value,
        pages: this.#pages.size,
        trail: this.#trail.map(({ value }) => value),
        tags: this.#topTags(),
        cart: this.#cart?.value,
        dearest: this.#dearest,
      },
      changedAt: Object.fromEntries(this.#changedAt),
      segments: Object.fromEntries(this.#segments),
      updatedAt: this.#updatedAt,
      lastSeq: this.#lastSeq,
    }
  }

  #visit(fact: Fact, edition: 1 | 2): void {
    const { at, now, value } = fact
    const amount = value['amount'] as number
    const tag = value['tag'] as string
    const page = value['page'] as string
    for (const trait of ['visits', 'total', 'page', 'pages', 'trail', 'tags']) this.#note(fact, trait)
    this.#visits++
    this.#cents += Math.round(amount * 100)
    if (this.#fresh.add(at, now)) this.#note(fact, 'fresh')
    this.#pages.add(page)
    this.#trail = [...this.#trail, sighting(fact, 'page')].sort(latestFirst).slice(0, 3)
    this.#tags.set(tag, (this.#tags.get(tag) ?? 0) + 1)
    if (edition === 2) this.#note(fact, 'dearest', () => (this.#dearest = Math.max(this.#dearest ?? amount, amount)))
  }

  #atVisit({ now, value }: Fact, tell: Tell): void {
    const visits = this.#visits
    if (visits % 5 === 0) {
      this.#tellTrigger(tell, 'milestone', now, { id: value['id'], visits, total: this.#cents / 100 })
    }
    this.#lookAtSpending(now, tell)
    if (!this.#begins('rush', this.#fresh.count(now) >= 5)) return
    if (now < this.#rushedAt + 2_000) return tell({ lane: 'suppressed', name: 'rush', detail: 'cooldown', at: now })
    this.#rushedAt = now
    const trail = this.#trail.map(sighting => sighting.value)
    this.#tellTrigger(tell, 'rush', now, { trail, tags: this.#topTags().map(row => row.value) })
  }

  #await({ now, value }: Fact, tell: Tell): void {
    this.#waits.push({ dueAt: now + waitMs, cart: value['cart'] as string })
    this.#waits.sort((a, b) => a.dueAt - b.dueAt || (a.cart < b.cart ? -1 : 1))
    if (this.#waits.length <= mostWaits) return
    this.#waits.shift()
    tell({ lane: 'suppressed', name: 'left', detail: 'too_many_waits', at: now })
  }

  #lookAtSegments(at: number, tell: Tell): void {
    this.#lookAtSegment('regular', this.#visits >= 5, at, tell)
    this.#lookAtSegment('busy', this.#fresh.count(at) >= 3, at, tell)
  }

  #lookAtSegment(name: string, isInside: boolean, at: number, tell: Tell): void {
    if (isInside === this.#segments.has(name)) return
    if (isInside) this.#segments.set(name, at)
    else this.#segments.delete(name)
    tell({ lane: 'segments', name, detail: isInside ? 'entered' : 'exited', at })
  }

  #lookAtSpending(at: number, tell: Tell): void {
    if (this.#begins('spender', this.#cents >= 10_000))
      this.#tellTrigger(tell, 'spender', at, { total: this.#cents / 100 })
  }

  #begins(name: string, holds: boolean): boolean {
    const held = this.#held.has(name)
    if (holds) this.#held.add(name)
    else this.#held.delete(name)
    return holds && !held
  }

  #tellTrigger(tell: Tell, name: string, at: number, data: unknown): void {
    tell({ lane: 'triggers', name, at, data })
  }

  #note({ at }: Fact, trait: string, change?: () => void): void {
    change?.()
    this.#changedAt.set(trait, Math.max(this.#changedAt.get(trait) ?? 0, at))
  }

  #topTags(): { value: string; count: number }[] {
    const rows = [...this.#tags].map(([value, count]) => ({ value, count }))
    return rows.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1)).slice(0, 3)
  }
}

function sighting({ at, seq, value }: Fact, field: string): Sighting {
  return { at, seq, value: value[field] }
}

function latestFirst(a: Sighting, b: Sighting): number {
  return b.at - a.at || b.seq - a.seq
}

function later(a: Sighting | undefined, b: Sighting): Sighting {
  return a !== undefined && latestFirst(a, b) < 0 ? a : b
}
