import fc from 'fast-check'
import { test } from 'tap'
import { fnv1a32, fnv1a32Bytes, partitionOf, subjectToken } from '../../../../engine/nats/partitioning.js'

test('the hash is FNV-1a 32, by its published test vectors', async t => {
  // Landon Curt Noll, fnv test suite (isthe.com/chongo/tech/comp/fnv).
  const vectors: Record<string, number> = {
    '': 0x811c9dc5,
    a: 0xe40c292c,
    b: 0xe70c2de5,
    foo: 0xa9f37ed7,
    foobar: 0xbf9cf968,
  }
  for (const text of ['', 'a', 'b', 'foo', 'foobar']) t.equal(fnv1a32(text), vectors[text], JSON.stringify(text))
})

test('text and its UTF-8 bytes hash alike', async t => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => t.equal(fnv1a32(text), fnv1a32Bytes(Buffer.from(text)))),
    { numRuns: 200 },
  )
})

test('a token never holds what ends or widens a subject, whatever the key', async t => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), key => {
      const token = subjectToken(key)
      t.notMatch(token, /[.*>\s\p{Cc}]/u)
      t.not(token, '')
    }),
    { numRuns: 300 },
  )
  t.equal(subjectToken('plain-Key_1'), 'plain-Key_1')
  t.equal(subjectToken('a.b*c>d e'), 'a%2Eb%2Ac%3Ed%20e')
  t.equal(subjectToken('ü\u00a0\u2003'), 'ü%C2%A0%E2%80%83')
})

test('every key has one partition', async t => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 1_024 }), (key, partitions) => {
      const partition = partitionOf(key, partitions)
      t.ok(Number.isInteger(partition) && partition >= 0 && partition < partitions)
    }),
    { numRuns: 200 },
  )
})
