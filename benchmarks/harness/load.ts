/** A run of the load generator, as both sides know it. */
import type { Percentiles } from './latency-histogram.js'

/** Acknowledgements come here; the server is private, so any name will do. */
export const ackSubject = 'bench.acks'

/** What is to be sent. */
export interface Play {
  /** All publishes, one after the other, as written by `encodePublish`. */
  readonly bytesFile: string
  /** Where each of them ends: 32-bit numbers in this machine's order. */
  readonly endsFile: string
  /** Epoch milliseconds; at once when that is over. */
  readonly startAtMs: number
  /** Messages a second. */
  readonly rate: number
  /** How many at the beginning are not counted in the lag. */
  readonly skip: number
}

/** Sent by the generator when it begins. */
export interface Begun {
  readonly kind: 'begun'
  /** Broker's clock as this machine has it: epoch milliseconds with a fraction. Message n is due n / rate seconds later. */
  readonly startedAtMs: number
}

/** Sent when everything is acknowledged, or when that has failed. */
export interface Played {
  readonly kind: 'played'
  readonly failure: string | undefined
  /** How far behind its schedule each message was written to the socket. */
  readonly lag: Percentiles | undefined
}
