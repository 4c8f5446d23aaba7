/** What a benchmark gives to do: events, and what is to become of them. */

/** One event as a producer publishes it. */
export interface Message {
  /** `events.<source>.<type>.<key>`. */
  readonly subject: string
  readonly payload: Buffer
  /** Different for every message, also for copies of an event: recognizing those is the contenders' work, not the broker's. */
  readonly messageId: string
}

export interface LoadOptions {
  /** The same seed and clock give the same messages. */
  readonly seed: number
  readonly events: number
  /** How many different keys there may be; a workload has its own default. */
  readonly users?: number | undefined
  /** Whole epoch milliseconds, asked for each message. */
  readonly clock: () => number
}

/**
 * Sums over all profiles by trait, and numbers of triggers: `{ views, orders, spendCents, 'triggers.welcome' }`. Whole
 * numbers, money in cents, so that sums are exact.
 */
export type Totals = Readonly<Record<string, number>>

/** Works out, from the messages alone and apart from every contender, what must come of them. */
export interface Tally {
  add(message: Message): void
  totals(): Totals
}

export interface Workload {
  readonly name: string
  readonly partitions: number
  /** Absolute path of a `.ts` file that uses only what 'millrace' exports. */
  readonly pipelineFile: string
  /** Triggers that fire by time and not by an event; they have no latency. */
  readonly waitingTriggers?: readonly string[]
  /** Exactly `events` messages, made as they are asked for. */
  messages(options: LoadOptions): Iterable<Message>
  /** Starts empty. Absent where what must come out is checked in another way. */
  tally?(): Tally
  /** What a profile of Millrace adds to the totals, given its traits. */
  totalsOf?(traits: Readonly<Record<string, unknown>>): Totals
}

/** Both together, name by name. */
export function addTotals(one: Totals, other: Totals): Totals {
  const sum: Record<string, number> = { ...one }
  for (const [name, value] of Object.entries(other)) sum[name] = (sum[name] ?? 0) + value
  return sum
}
