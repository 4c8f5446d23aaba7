import type { Scalar } from './plain.js'

/** FNV-1a, 32 bits, over the UTF-8 bytes; unsigned. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

const seeds = { string: 0, number: 1, boolean: 2 } as const

/**
 * 32-bit hash of a value: MurmurHash3 (Austin Appleby, public domain) with every UTF-16 unit as one block. Signed, because
 * JavaScript engines keep signed 32-bit numbers without an object for each. The stored form depends on it: it must never
 * change. `1` and `'1'` differ.
 */
export function hash32(value: Scalar): number {
  const text = String(value)
  let hash: number = seeds[typeof value as keyof typeof seeds]
  for (let i = 0; i < text.length; i++) {
    let block = Math.imul(text.charCodeAt(i), 0xcc9e2d51)
    block = (block << 15) | (block >>> 17)
    hash ^= Math.imul(block, 0x1b873593)
    hash = (hash << 13) | (hash >>> 19)
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  }
  hash ^= text.length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
