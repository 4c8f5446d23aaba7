/**
 * Which partition a key belongs to. NATS computes it from the subject's key token when an event is published, the engine
 * again from the payload's key; the two must agree, so both use FNV-1a 32 of the token's UTF-8 bytes, modulo P.
 */

// What cannot stand in a subject token: separators, wildcards, white space, control characters.
const unsafe = /[.*>\s\p{Cc}]/u
const unsafeAll = /[.*>\s\p{Cc}]/gu

/** The key as a subject token: itself, with what a token cannot hold percent-encoded. One-way; the key is in the payload. */
export function subjectToken(key: string): string {
  return unsafe.test(key) ? key.replace(unsafeAll, percentEncode) : key
}

function percentEncode(character: string): string {
  let encoded = ''
  for (const byte of Buffer.from(character)) encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  return encoded
}

/** FNV-1a 32 of the UTF-8 bytes, unsigned. Constants from the FNV reference (offset basis 2166136261, prime 16777619). */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return fnv1a32Bytes(Buffer.from(text))
    hash = Math.imul(hash ^ unit, 0x01000193)
  }
  return hash >>> 0
}

/** The same over bytes. */
export function fnv1a32Bytes(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash >>> 0
}

export function partitionOf(key: string, partitions: number): number {
  return fnv1a32(subjectToken(key)) % partitions
}
