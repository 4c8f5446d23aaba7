/**
 * A shop's events as producers would publish them, with everything that goes wrong in real ones: published twice, late, out of
 * order, ahead of the clock, damaged, of an unknown schema, impossible, under another person's subject.
 *
 * The same seed, number of users and clock give the same events. The clock is asked for each event, because an event says when
 * it happened, and that has to be close to when it is published.
 */
import { encode, headerBytes, type ShopSchema } from './avro.js'
import { type Random, seeded } from './random.js'
import { type Step, visits } from './visits.js'

export interface GeneratorOptions {
  readonly seed: number
  readonly events: number
  /** How many people there are; default one for every 15 events. */
  readonly users?: number | undefined
  /** Other shares of what goes wrong than the usual ones. */
  readonly shares?: Partial<Shares> | undefined
  /** Whole epoch milliseconds. */
  readonly clock: () => number
}

export interface ShopMessage {
  /** `events.shop.<type>.<userId>`: what a producer publishes to. */
  readonly subject: string
  readonly payload: Buffer
  /** Different for every message, so that the broker keeps copies of an event, which the pipeline has to recognize. */
  readonly messageId: string
}

/** Share of all messages. The rest of an event's life is in `visits.ts`. */
const usualShares = {
  copies: 0.02,
  late: 0.01,
  outOfOrder: 0.05,
  ahead: 0.005,
  damaged: 0.002,
  unknownSchema: 0.001,
  negativeTotal: 0.001,
  farFuture: 0.0001,
  otherSubject: 0.0002,
}

export type Shares = Readonly<Record<keyof typeof usualShares, number>>

/** Copies come at most this many messages after the original. */
const copyDistance = 20_000

/** Exactly `events` messages, made as they are asked for. */
export function* generate(
  schemas: ReadonlyMap<string, ShopSchema>,
  { seed, events, users = Math.max(1, Math.round(events / 15)), clock, shares: given }: GeneratorOptions,
): Generator<ShopMessage, void> {
  const shares: Shares = { ...usualShares, ...given }
  const random = seeded(seed)
  const steps = visits(random, users)
  const sent: Omit<ShopMessage, 'messageId'>[] = []
  for (let number = 0; number < events; number++) {
    const messageId = `shop-${seed}-${number}`
    if (sent.length > 0 && random.chance(shares.copies)) {
      yield { ...earlier(sent, number, random), messageId }
      continue
    }
    const step = maybeImpossible(steps.next().value, number, random, shares)
    const value = {
      id: `e${seed}-${number}`,
      userId: step.userId,
      occurredAt: occurredAt(clock(), random, shares),
      ...step.fields,
    }
    const owner = random.chance(shares.otherSubject) ? `${step.userId}-other` : step.userId
    const message = {
      subject: `events.shop.${step.type}.${owner}`,
      payload: maybeDamaged(encode(schemas.get(step.type)!, value), random, shares),
    }
    sent[number % copyDistance] = message
    yield { ...message, messageId }
  }
}

/** Near ones are as likely as far ones: the distance is even on a logarithmic scale. */
function earlier<Message>(sent: readonly Message[], number: number, random: Random): Message {
  const distance = Math.floor(Math.min(number, copyDistance - 1) ** random.number())
  // A copy leaves its own place empty; any message will do then.
  return sent[(number - distance) % copyDistance] ?? sent.find(message => message !== undefined)!
}

function maybeImpossible(step: Step, number: number, random: Random, shares: Shares): Step {
  if (!random.chance(shares.negativeTotal)) return step
  const fields = { cartId: `n${number}`, orderId: `n${number}`, total: -random.whole(1, 10_000) / 100 }
  return { type: 'checkout_completed', userId: step.userId, fields }
}

function occurredAt(now: number, random: Random, shares: Shares): number {
  const sent = now - random.whole(0, 30)
  const lot = random.number()
  let edge = shares.late
  if (lot < edge) return sent - random.whole(60_000, 6 * 3_600_000)
  if (lot < (edge += shares.outOfOrder)) return sent - random.whole(0, 2_000)
  if (lot < (edge += shares.ahead)) return sent + random.whole(1, 1_000)
  if (lot < edge + shares.farFuture) return Date.UTC(2099, 0, 1)
  return sent
}

function maybeDamaged(payload: Buffer, random: Random, shares: Shares): Buffer {
  if (random.chance(shares.unknownSchema)) {
    const stranger = Buffer.from(payload)
    // Any fingerprint that is none of ours.
    stranger.writeUInt8(stranger.readUInt8(2) ^ 0xff, 2)
    return stranger
  }
  if (!random.chance(shares.damaged)) return payload
  switch (random.whole(0, 2)) {
    case 0:
      return payload.subarray(0, random.whole(headerBytes, payload.length - 1))
    case 1:
      return Buffer.concat([payload, random.bytes(random.whole(1, 8))])
    default:
      // Not the marker that a record begins with.
      return Buffer.concat([Buffer.of(random.whole(0, 0x7f)), random.bytes(random.whole(10, 60))])
  }
}
