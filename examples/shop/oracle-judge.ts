/** What must become of each event of one partition: counted for whom, dropped, or a dead letter and why. */
import { headerBytes, type ShopSchema } from './avro.js'
import type { StoredMessage } from './oracle-read.js'
import { type Effect, type Fact, Shopper } from './oracle-shopper.js'

export interface ExpectedDeadLetter {
  readonly stage: string
  readonly reason: string
  readonly seq: number
  readonly payload: Uint8Array
}

export interface Expectation {
  readonly applied: number
  readonly duplicates: number
  readonly deadLetters: readonly ExpectedDeadLetter[]
  readonly effects: readonly Effect[]
  readonly shoppers: readonly Shopper[]
}

export interface ShopRules {
  readonly schemas: ReadonlyMap<string, ShopSchema>
  /** Category by product. */
  readonly categories: ReadonlyMap<string, string>
  readonly partitions: number
}

/** Events from further ahead than this are not believed. */
const mostAheadMs = 5 * 60_000

/** `messages` are all of the partition, in order. Everything that time alone brings has happened. */
export function judge(partition: number, messages: readonly StoredMessage[], rules: ShopRules): Expectation {
  const deadLetters: ExpectedDeadLetter[] = []
  const seen = new Set<string>()
  const facts: { key: string; fact: Fact }[] = []
  const times: number[] = []
  let duplicates = 0
  let now = 0
  for (const { seq, subject, brokerMs, payload } of messages) {
    now = Math.max(now, brokerMs)
    times.push(now)
    const reject = (stage: string, reason: string) => deadLetters.push({ stage, reason, seq, payload })
    const [, , source, type] = subject.split('.') as [string, string, string, string]
    const value = decode(payload, rules.schemas.get(type))
    if (typeof value === 'string') {
      reject('decode_avro', value)
      continue
    }
    if (Number(value.total ?? 0) < 0 || Number(value.value ?? 0) < 0) {
      reject('validate', 'rule')
      continue
    }
    const identity = `${source} ${value.id as string}`
    if (seen.has(identity)) {
      duplicates++
      continue
    }
    seen.add(identity)
    const key = value.userId as string
    const occurredAt = value.occurredAt as number
    if (partitionOf(key, rules.partitions) !== partition) reject('profile', 'wrong_partition')
    else if (occurredAt > now + mostAheadMs) reject('profile', 'from_the_future')
    else {
      const category = type === 'product_viewed' ? rules.categories.get(value.productId as string) : undefined
      facts.push({ key, fact: { seq, now, at: Math.min(occurredAt, now), type, value, category } })
    }
  }
  const shoppers = live(facts, moment => seqBefore(moment, messages, times))
  const effects = shoppers.flatMap(shopper => shopper.effects)
  return { applied: facts.length, duplicates, deadLetters, effects, shoppers }
}

function live(facts: readonly { key: string; fact: Fact }[], seqBefore: (now: number) => number): Shopper[] {
  const shoppers = new Map<string, Shopper>()
  for (const { key, fact } of facts) {
    let shopper = shoppers.get(key)
    if (shopper === undefined) shoppers.set(key, (shopper = new Shopper(key, seqBefore)))
    shopper.happen(fact)
  }
  for (const shopper of shoppers.values()) shopper.passTime(Infinity)
  return [...shoppers.values()]
}

/** Times never decrease, so halving finds the last one before the moment. */
function seqBefore(moment: number, messages: readonly StoredMessage[], times: readonly number[]): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (times[middle]! < moment) low = middle + 1
    else high = middle
  }
  return messages[low - 1]?.seq ?? 0
}

/** The record, or why it is none. */
function decode(bytes: Uint8Array, schema: ShopSchema | undefined): Record<string, unknown> | string {
  const payload = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (payload.length < 2 || payload.readUInt16BE(0) !== 0xc301) return 'wrong_framing'
  if (payload.length < headerBytes) return 'truncated'
  if (schema === undefined || !payload.subarray(0, headerBytes).equals(schema.header)) return 'unknown_schema'
  try {
    const { value, offset } = schema.type.decode(payload, headerBytes) as { value: unknown; offset: number }
    if (offset < 0) return 'truncated'
    return offset < payload.length ? 'invalid' : (value as Record<string, unknown>)
  } catch {
    return 'invalid'
  }
}

/** FNV-1a, 32 bits, of the key's bytes, as the broker takes it from the subject. */
function partitionOf(key: string, partitions: number): number {
  let hash = 2_166_136_261n
  for (const byte of Buffer.from(key)) hash = ((hash ^ BigInt(byte)) * 16_777_619n) & 0xffff_ffffn
  return Number(hash % BigInt(partitions))
}
