/**
 * The reply subject of a JetStream delivery, parsed by hand: the client's own parser splits and allocates, and this runs for
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

const dot = 46
const zero = 48

/** Fills `into`; false when the subject is not a delivery. */
export function parseDelivery(reply: string, into: Delivery): boolean {
  if (!reply.startsWith('$JS.ACK.')) return false
  let dots = 0
  for (let i = 0; i < reply.length; i++) if (reply.charCodeAt(i) === dot) dots++
  // Fields from the left up to the delivery count: 4 tokens in the short form, 6 in the long one.
  let at = skipTokens(reply, dots >= 10 ? 7 : 5)

  let value = 0
  let code = 0
  while ((code = reply.charCodeAt(at++)) !== dot) value = value * 10 + (code - zero)
  into.streamSeq = value
  value = 0
  while ((code = reply.charCodeAt(at++)) !== dot) value = value * 10 + (code - zero)
  into.consumerSeq = value
  // Nanoseconds do not fit a double: the first sixteen digits are microseconds and do.
  value = 0
  const end = reply.indexOf('.', at)
  for (const micros = end - 3; at < micros; at++) value = value * 10 + (reply.charCodeAt(at) - zero)
  into.brokerMs = value / 1000
  at = end + 1
  value = 0
  while (at < reply.length && (code = reply.charCodeAt(at++)) !== dot) value = value * 10 + (code - zero)
  into.pending = value
  return true
}

function skipTokens(text: string, count: number): number {
  let at = 0
  for (let seen = 0; seen < count; at++) if (text.charCodeAt(at) === dot) seen++
  return at
}
