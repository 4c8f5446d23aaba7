/** Visits by all users at a steady rate while a test breaks things, and what came out of it when. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import type { NatsConnection } from 'nats'
import type { Broker, TestEvent } from './broker.js'
import { eventually } from './eventually.js'
import type { TestScope } from './servers.js'
import { idOf, visitPartitions } from './visits.js'
import { users, visitsOf } from './world.js'

/** Between two rounds; each is one visit by every user. */
const roundMs = 50

export class SteadyLoad {
  /** What the broker has taken. */
  readonly sent: TestEvent[] = []
  readonly #seen = new Set<string>()
  readonly #arrivals: number[][] = Array.from({ length: visitPartitions }, () => [])
  readonly #running: Promise<void>
  #isStopping = false

  /** `publish` resolves when the broker has all of the events. Stopped at the test's end. */
  constructor(t: TestScope, connection: NatsConnection, publish: (events: readonly TestEvent[]) => Promise<unknown>) {
    connection.subscribe('triggers.seen.*', {
      callback: (_error, message) => {
        this.#seen.add(message.json<{ data: { id: string } }>().data.id)
        this.#arrivals[Number(message.subject.split('.').at(-1))]!.push(performance.now())
      },
    })
    this.#running = this.#run(publish)
    t.teardown(() => this.stop())
  }

  /** Resolves when the broker has everything that was sent. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#running
  }

  /** Resolves when visits by all users, published after this call, have their triggers out. */
  async goesOn(): Promise<void> {
    // What is being published now may have begun before.
    const from = this.sent.length + users.length
    await eventually(
      'all partitions go on',
      () => {
        const round = this.sent.slice(from, from + users.length)
        return round.length === users.length && round.every(event => this.#seen.has(idOf(event)))
      },
      { withinMs: 120_000 },
    )
  }

  /** The longest time that any partition published no trigger, of those that ended after `since` (monotonic). */
  longestSilenceMs(since = 0): number {
    const silences = this.#arrivals.flatMap(times =>
      times.map((time, i) => (time < since ? 0 : time - (times[i - 1] ?? time))),
    )
    return Math.round(Math.max(0, ...silences))
  }

  /** How long after `since` (monotonic) the last of the partitions published its first trigger. */
  recoveredMs(since: number): number {
    const first = this.#arrivals.map(times => times.find(time => time >= since) ?? Infinity)
    return Math.round(Math.max(...first) - since)
  }

  async #run(publish: (events: readonly TestEvent[]) => Promise<unknown>): Promise<void> {
    while (!this.#isStopping) {
      const round = visitsOf(users.length)
      await publish(round)
      this.sent.push(...round)
      await delay(roundMs)
    }
  }
}

/** Triggers of a partition lie in the stream in the order of the events that caused them. */
export async function inOrder(t: Test, broker: Broker): Promise<void> {
  const last = new Map<string, readonly number[]>()
  const broken: string[] = []
  for (const { subject, headers } of await broker.read('TRIGGERS')) {
    const partition = subject.split('.').at(-1)!
    const [seq = 0, ordinal = 0] = headers['Millrace-Position']!.split(':').map(Number)
    const [lastSeq = -1, lastOrdinal = -1] = last.get(partition) ?? []
    if (seq < lastSeq || (seq === lastSeq && ordinal <= lastOrdinal)) {
      broken.push(`partition ${partition}: ${seq}:${ordinal} after ${lastSeq}:${lastOrdinal}`)
    }
    last.set(partition, [seq, ordinal])
  }
  t.strictSame(broken, [], 'triggers are in the order of their events')
}
