/**
 * The reply subject of a JetStream delivery, parsed by hand and from its bytes: the client's own parser splits and allocates, and this runs for
 * every event. Two forms exist (NATS ADR-15):
 * ```
 * $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<ns>.<pending>
 * $JS.ACK.<domain>.<account>.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<ns>.<pending>[.<random>]
 * ```
 */
export interface Delivery {
  streamSeq: number
  consumerSeq: number
  /** Broker's timestamp, epoch milliseconds with microseconds as fraction. */
  brokerMs: number
  pending: number
}

const prefix = Buffer.from('$JS.ACK.')
const dot = 46
const zero = 48

/** Fills `into`; false when the subject is not a delivery. */
export function parseDelivery(reply: Uint8Array, into: Delivery): boolean {
  for (let i = 0; i < prefix.length; i++) if (reply[i] !== prefix[i]) return false
  let dots = 0
  for (let i = 0; i < reply.length; i++) if (reply[i] === dot) dots++
  // Fields from the left up to the delivery count: 4 tokens in the short form, 6 in the long one.
  let at = skipTokens(reply, dots >= 10 ? 7 : 5)

  let end = endOfToken(reply, at)
  into.streamSeq = digits(reply, at, end)
  at = end + 1
  end = endOfToken(reply, at)
  into.consumerSeq = digits(reply, at, end)
  at = end + 1
  end = endOfToken(reply, at)
  // Nanoseconds do not fit a double: the first sixteen digits are microseconds and do.
  into.brokerMs = digits(reply, at, end - 3) / 1000
  at = end + 1
  into.pending = digits(reply, at, endOfToken(reply, at))
  return true
}

function skipTokens(text: Uint8Array, count: number): number {
  let at = 0
  for (let seen = 0; seen < count && at < text.length; at++) if (text[at] === dot) seen++
  return at
}

function endOfToken(text: Uint8Array, from: number): number {
  let at = from
  while (at < text.length && text[at] !== dot) at++
  return at
}

function digits(text: Uint8Array, from: number, to: number): number {
  let value = 0
  for (let i = from; i < to; i++) value = value * 10 + (text[i]! - zero)
  return value
}
