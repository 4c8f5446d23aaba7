/**
 * What must come of the shop's events, worked out a second time from what `pipeline.ts` means: a map of people and a set of
 * ids. It knows what does not depend on when an event was processed: the counting traits and the triggers that follow from
 * them. What depends on time is the business of the demo's oracle.
 */
import { headerBytes, type ShopSchema } from '../../../examples/shop/avro.js'
import type { Message, Tally, Totals } from '../workload.js'

interface ShopRecord {
  readonly id: string
  readonly userId: string
  readonly total?: number
  readonly value?: number
}

/** A person's orders, in cents, and how many events of each kind there were. */
interface Person {
  signUps: number
  sessions: number
  views: number
  orders: number
  cents: number
}

const bigSpenderCents = 500_00

export class ShopTally implements Tally {
  readonly #people = new Map<string, Person>()
  readonly #seen = new Set<string>()

  constructor(private readonly schemas: ReadonlyMap<string, ShopSchema>) {}

  add({ subject, payload }: Message): void {
    const [, source, type] = subject.split('.') as [string, string, string]
    const record = decode(payload, this.schemas.get(type))
    if (record === undefined || (record.total ?? 0) < 0 || (record.value ?? 0) < 0) return
    const identity = `${source} ${record.id}`
    if (this.#seen.has(identity)) return
    this.#seen.add(identity)
    let person = this.#people.get(record.userId)
    if (person === undefined) {
      person = { signUps: 0, sessions: 0, views: 0, orders: 0, cents: 0 }
      this.#people.set(record.userId, person)
    }
    if (type === 'signed_up') person.signUps++
    if (type === 'session_started') person.sessions++
    if (type === 'product_viewed') person.views++
    if (type === 'checkout_completed') {
      person.orders++
      person.cents += Math.round(record.total! * 100)
    }
  }

  totals(): Totals {
    const people = [...this.#people.values()]
    const sum = (of: (person: Person) => number) => people.reduce((total, person) => total + of(person), 0)
    return {
      sessions: sum(person => person.sessions),
      views: sum(person => person.views),
      orders: sum(person => person.orders),
      spendCents: sum(person => person.cents),
      'triggers.welcome': sum(person => person.signUps),
      'triggers.first_order': sum(person => (person.orders >= 1 ? 1 : 0)),
      'triggers.big_spender': sum(person => (person.cents >= bigSpenderCents ? 1 : 0)),
    }
  }
}

/** The record; `undefined` when the payload is not exactly one of this schema. */
function decode(payload: Buffer, schema: ShopSchema | undefined): ShopRecord | undefined {
  if (schema === undefined || !payload.subarray(0, headerBytes).equals(schema.header)) return undefined
  try {
    const { value, offset } = schema.type.decode(payload, headerBytes) as { value: ShopRecord; offset: number }
    return offset === payload.length ? value : undefined
  } catch {
    return undefined // damaged
  }
}
