/** Holds what was published against what had to be, message by message, in stream order. */
import { canonical } from './canonical.js'
import { digest, type Expectation, type Lane, lanes } from './expectation.js'
import type { StoredMessage } from './stored-messages.js'
import type { Violations } from './violations.js'

/** A trigger that an event caused, and how long after the event it was stored. */
export interface Delay {
  readonly partition: number
  /** When the event was stored, epoch milliseconds. */
  readonly from: number
  readonly ms: number
}

export interface Published {
  readonly count: number
  readonly delays: readonly Delay[]
}

/** Hands on everything that was ever published in a lane, in order. */
export type LaneSource = (lane: Lane, take: (message: StoredMessage) => void) => Promise<unknown>

/** Compares every lane. Delays are those of triggers that an event caused. */
export async function comparePublished(
  source: LaneSource,
  expectations: readonly Expectation[],
  violations: Violations,
): Promise<Record<Lane, Published>> {
  const published = {} as Record<Lane, Published>
  for (const lane of lanes) {
    const comparison = new LaneComparison(lane, expectations, violations)
    await source(lane, message => comparison.take(message))
    comparison.finish()
    published[lane] = comparison
  }
  return published
}

class LaneComparison implements Published {
  count = 0
  readonly delays: Delay[] = []
  readonly #seen: Set<string>[]
  readonly #last: (readonly [seq: number, ordinal: number])[]

  constructor(
    private readonly lane: Lane,
    private readonly expectations: readonly Expectation[],
    private readonly violations: Violations,
  ) {
    this.#seen = expectations.map(() => new Set())
    this.#last = expectations.map(() => [-1, -1] as const)
  }

  take(message: StoredMessage): void {
    this.count++
    const { subject } = message
    const partition = Number(subject.slice(subject.lastIndexOf('.') + 1))
    const position = message.header('Millrace-Position')
    const what = `${subject} at ${position}, message ${message.seq}`
    this.#checkOrder(partition, position, what)
    const expected = this.expectations[partition]?.effects[this.lane].get(position)
    if (expected === undefined) return this.violations.add('effect_unexpected', what)
    const seen = this.#seen[partition]!
    if (seen.has(position)) return this.violations.add('effect_repeated', what)
    seen.add(position)
    const says = this.lane === 'deadletters' ? saysDeadLetter(message) : saysEffect(message)
    const id = message.header('Nats-Msg-Id')
    if (expected.subject !== subject || expected.says !== says) {
      this.violations.add('effect_unexpected', `${what} says ${says}, not ${expected.subject} ${expected.says}`)
    } else if (!id.endsWith(`:${partition}:${position}`)) {
      this.violations.add('effect_unexpected', `${what} has the id ${id}`)
    }
    if (this.lane === 'triggers' && expected.causedAtMs !== undefined) {
      const from = expected.causedAtMs
      this.delays.push({ partition, from, ms: message.brokerMs - from })
    }
  }

  finish(): void {
    this.expectations.forEach(({ effects }, partition) => {
      for (const [position, { subject }] of effects[this.lane]) {
        if (!this.#seen[partition]!.has(position)) this.violations.add('effect_missing', `${subject} at ${position}`)
      }
    })
  }

  #checkOrder(partition: number, position: string, what: string): void {
    const [seq, ordinal] = position.split(':').map(Number) as [number, number]
    const last = this.#last[partition] ?? [-1, -1]
    if (seq > last[0] || (seq === last[0] && ordinal > last[1])) this.#last[partition] = [seq, ordinal]
    else this.violations.add('effect_order', `${what} comes after ${last.join(':')}`)
  }
}

function saysEffect({ payload, header }: StoredMessage): string {
  const { id, ...body } = JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>
  return id === header('Nats-Msg-Id') ? canonical(body) : `${canonical(body)}, with an id that is not the header's`
}

function saysDeadLetter({ payload, header }: StoredMessage): string {
  const [stage, reason, key] = ['Stage', 'Reason', 'Key'].map(name => header(`Millrace-${name}`))
  return canonical({ stage, reason, key, seq: Number(header('Millrace-Sequence')), payload: digest(payload) })
}
