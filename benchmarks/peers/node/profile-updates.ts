/** What an event does to a profile in Redis, and what follows from it. A profile is the hash `profile:<userId>`. */
import type { ShopEvent } from './shop-events.js'

/** A command of Redis with its arguments. */
export type Command = [name: string, ...args: (string | number)[]]

export interface Trigger {
  readonly name: string
  readonly data: object
  /** Not again for the same person before this has passed. */
  readonly cooldownMs?: number
}

export interface Consequences {
  /** The person enters these. */
  readonly segments: readonly string[]
  readonly triggers: readonly Trigger[]
}

/** How long the id of an event is remembered. */
const dedupeSeconds = 3_600

/**
 * Remembers the event's id together with its place in the stream, and answers what was remembered. An answer that is this
 * place belongs to the event itself, delivered again after a crash: its effects may be missing.
 */
export function rememberCommand({ id }: ShopEvent, seq: number): Command {
  return ['set', `dedupe:${id}`, seq, 'EX', dedupeSeconds, 'NX', 'GET']
}

/** Whether an answer to `rememberCommand` says that another message had this id before. */
export function isCopy(answer: unknown, seq: number): boolean {
  return answer !== null && Number(answer) !== seq
}

export function updateCommands(event: ShopEvent): Command[] {
  const profile = `profile:${event.userId}`
  switch (event.type) {
    case 'signed_up':
      return [['hset', profile, 'email', event.email, 'plan', event.plan]]
    case 'session_started':
      return [
        ['hincrby', profile, 'sessions', 1],
        ['hset', profile, 'lastSeen', event.occurredAt],
      ]
    case 'product_viewed': {
      const views: Command = ['hincrby', profile, 'views', 1]
      return event.category === undefined ? [views] : [views, ['hincrby', profile, `category:${event.category}`, 1]]
    }
    case 'cart_updated':
      return [['hset', profile, 'cart', event.value]]
    case 'checkout_completed':
      return [
        ['hincrby', profile, 'orders', 1],
        ['hincrbyfloat', profile, 'spend', event.total],
      ]
  }
}

const nothing: Consequences = { segments: [], triggers: [] }

/** `answers` are those to `updateCommands`. What a counter has just passed is known from its new value alone. */
export function consequencesOf(event: ShopEvent, answers: readonly unknown[]): Consequences {
  switch (event.type) {
    case 'signed_up': {
      const { plan, country } = event
      return { segments: [], triggers: [{ name: 'welcome', data: { plan, country } }] }
    }
    case 'product_viewed': {
      const views = Number(answers[0])
      if (views < 3) return nothing
      return {
        segments: views === 3 ? ['browsing'] : [],
        triggers: views >= 5 ? [{ name: 'browse_intent', data: { views }, cooldownMs: 10_000 }] : [],
      }
    }
    case 'checkout_completed': {
      const [orders, spend] = answers.map(Number) as [number, number]
      const passes = (bound: number) => spend >= bound && spend - event.total < bound
      const segments = [...(orders === 1 ? ['customer'] : []), ...(passes(1_000) ? ['vip'] : [])]
      const first: Trigger[] = orders === 1 ? [{ name: 'first_order', data: { spend } }] : []
      const big: Trigger[] = passes(500) ? [{ name: 'big_spender', data: { spend, orders } }] : []
      return { segments, triggers: [...first, ...big] }
    }
    default:
      return nothing
  }
}

export function segmentCommand(segment: string, { userId }: ShopEvent): Command {
  return ['sadd', `segment:${segment}`, userId]
}

/** Its answer is null while the cooldown lasts. */
export function cooldownCommand(cooldownMs: number, { userId }: ShopEvent): Command {
  return ['set', `cooldown:${userId}`, '', 'PX', cooldownMs, 'NX']
}
