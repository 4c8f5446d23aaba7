/**
 * What the fault suite runs: small, but with something in it for each way to lose, repeat or reorder. Sums and counts show an
 * event that counted twice, windows and waits show time that ran otherwise, edges and caps show a state that was rolled back
 * and not replayed.
 */
import {
  decodeJson,
  dedupe,
  events,
  pipeline,
  validate,
  type Event,
  type Pipeline,
  type ProfileDefinition,
} from 'millrace'

interface Sent {
  readonly id: string
  readonly user: string
  readonly at: number
}

export interface Visit extends Sent {
  /** Two decimals. Text in an event that must end as a dead letter: the sum cannot take it, after the count has. */
  readonly amount: number
  readonly page: string
  /** Far longer than a profile may be in an event that must end as a dead letter. */
  readonly tag: string
}

export interface Cart extends Sent {
  readonly cart: string
  readonly value: number
}

export interface ChaosEvents {
  visit: Visit
  cart: Cart
  buy: Cart
}

/** The words of a definition over these events. */
export const { profile, count, distinct, last, max, recent, sum, top } = events<ChaosEvents>()

/** Traits of every edition. */
export const traits = {
  visits: count('visit'),
  total: sum('visit', e => e.amount),
  fresh: count('visit').within('1200ms'),
  page: last('visit', e => e.page),
  pages: distinct('visit', e => e.page),
  trail: recent(3, 'visit', e => e.page),
  tags: top(3, 'visit', e => e.tag),
  cart: last('cart', e => e.value),
}

export const maxBytes = '16KB'

type Visitor = ReturnType<typeof profile<typeof traits>>

/** Segments and triggers of every edition. */
export function addRules(visitor: Visitor): void {
  visitor.segment('regular', p => p.visits >= 5)
  visitor.segment('busy', p => p.fresh >= 3)
  visitor.trigger('milestone', {
    on: 'visit',
    when: p => p.visits % 5 === 0,
    every: true,
    emit: (p, e) => ({ id: e.id, visits: p.visits, total: p.total }),
  })
  visitor.trigger('spender', { when: p => p.total >= 100, emit: p => ({ total: p.total }) })
  visitor.trigger('rush', {
    on: 'visit',
    when: p => p.fresh >= 5,
    cooldown: '2s',
    emit: p => ({ trail: p.trail, tags: p.tags.map(({ value }) => value) }),
  })
  visitor.trigger('left', {
    on: 'cart',
    by: e => e.cart,
    after: '1s',
    unless: 'buy',
    when: p => (p.cart ?? 0) >= 50,
    cap: '3/20s',
    emit: (p, e) => ({ cart: e.cart, value: p.cart }),
  })
}

/** The pipeline `chaos`; CHAOS_PARTITIONS says how many partitions. */
export function chaosPipeline(visitor: ProfileDefinition): Pipeline {
  return pipeline({
    name: 'chaos',
    partitions: Number(process.env['CHAOS_PARTITIONS'] ?? 16),
    maxAhead: '10s',
    stages: [
      decodeJson({ key: 'user', occurredAt: 'at' }),
      validate({ rules: { amount_not_negative: (event: Event<Partial<Visit>>) => !(Number(event.value.amount) < 0) } }),
      dedupe({ window: '8s' }),
    ],
    profile: visitor,
  })
}
