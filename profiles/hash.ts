import type { Scalar } from './plain.js'

/** FNV-1a, 32 bits, over the UTF-8 bytes; unsigned. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

const seeds = { string: 0, number: 1, boolean: 2 } as const

/**
 * 53-bit hash of a value, a whole number that a double holds exactly. Two multiply-xor lanes finished as in MurmurHash3
 * (the public-domain construction known as cyrb53). The stored form depends on it: it must never change. `1` and `'1'` differ.
 */
export function hash53(value: Scalar): number {
  const text = String(value)
  const seed = seeds[typeof value as keyof typeof seeds]
  let low = 0xdeadbeef ^ seed
  let high = 0x41c6ce57 ^ seed
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    low = Math.imul(low ^ unit, 0x9e3779b1)
    high = Math.imul(high ^ unit, 0x5f356495)
  }
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35)
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35)
  return 0x1_0000_0000 * (high & 0x1f_ffff) + (low >>> 0)
}
