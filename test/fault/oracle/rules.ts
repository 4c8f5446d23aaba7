/** What becomes of one stored event before any profile is looked at, by the meaning of the definition's stages. */
import type { StoredMessage } from './stored-messages.js'

/** An event that counts for somebody. */
export interface Fact {
  /** Logical: stream sequence and what was added to it. */
  readonly seq: number
  /** The partition's time, whole epoch milliseconds. */
  readonly now: number
  /** When it happened; not later than `now`. */
  readonly at: number
  readonly type: string
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

export interface Refusal {
  readonly stage: string
  readonly reason: string
  /** Empty when it was not known yet. */
  readonly key: string
}

export type Ruling =
  | { readonly kind: 'counts'; readonly fact: Fact }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'duplicate' }

const maxAheadMs = 10_000
const windowMs = 8_000
/** Profiles may take 16 KB; a tag above it cannot be kept, all else together stays far below. */
const maxTagLength = 16 * 1024

/** Memory of ids of one partition: by buckets of a second, for the window and at most one bucket longer. */
export class SeenIds {
  readonly #bucketOf = new Map<string, number>()
  #sweptAt = 0

  /** True when the id was seen within the window; otherwise it is remembered from now on. */
  isRepeated(id: string, now: number): boolean {
    const bucket = Math.floor(now / 1_000)
    this.#sweep(bucket)
    const seen = this.#bucketOf.get(id)
    if (seen !== undefined && seen >= bucket - windowMs / 1_000) return true
    this.#bucketOf.set(id, bucket)
    return false
  }

  #sweep(bucket: number): void {
    if (bucket < this.#sweptAt + 10) return
    this.#sweptAt = bucket
    for (const [id, seen] of this.#bucketOf) if (seen < bucket - 10) this.#bucketOf.delete(id)
  }
}

/** `now` is the partition's time when the event came. */
export function ruleOn(
  message: StoredMessage,
  seq: number,
  now: number,
  seen: SeenIds,
  partition: number,
  partitions: number,
): Ruling {
  const refused = (stage: string, reason: string, key = ''): Ruling => ({
    kind: 'refused',
    refusal: { stage, reason, key },
  })
  const value = parse(message.payload)
  if (value === undefined) return refused('decode_json', 'not_json')
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refused('decode_json', 'not_object')
  const { user: key, id, at, amount, tag } = value as Record<string, unknown>
  if (typeof key !== 'string') return refused('decode_json', 'key_missing')
  if (Number(amount) < 0) return refused('validate', 'rule', key)
  if (seen.isRepeated(id as string, now)) return { kind: 'duplicate' }
  if (partitionOf(key, partitions) !== partition) return refused('profile', 'wrong_partition', key)
  if ((at as number) > now + maxAheadMs) return refused('profile', 'from_the_future', key)
  const type = message.subject.split('.')[3]!
  if (type === 'visit' && typeof amount !== 'number') return refused('profile', 'fold_error', key)
  if (typeof tag === 'string' && tag.length > maxTagLength) return refused('profile', 'profile_too_large', key)
  const fact = { seq, now, at: Math.min(at as number, now), type, key, value: value as Fact['value'] }
  return { kind: 'counts', fact }
}

function parse(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload).toString())
  } catch {
    return undefined
  }
}

/** FNV-1a, 32 bits, of the key's bytes, as the broker takes it from the subject. Math.imul multiplies modulo 2^32. */
function partitionOf(key: string, partitions: number): number {
  let hash = 2_166_136_261
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 16_777_619) >>> 0
  return hash % partitions
}
