import t from 'tap'
import { fnv1a, hash32 } from '../../../profiles/hash.js'

t.test('fnv1a gives the published values', async t => {
  // Test vectors of the algorithm's authors (draft-eastlake-fnv, FNV-1a 32 bits).
  t.equal(fnv1a(''), 0x811c9dc5)
  t.equal(fnv1a('a'), 0xe40c292c)
  t.equal(fnv1a('foobar'), 0xbf9cf968)
})

t.test('hash32 is MurmurHash3 with each UTF-16 unit as a block', async t => {
  for (const text of ['', 'a', 'product-17', 'ü', '😀', 'x'.repeat(300)]) t.equal(hash32(text), reference(text, 0))
  t.equal(hash32(12.5), reference('12.5', 1))
  t.equal(hash32(true), reference('true', 2))
})

t.test('stored hashes keep their meaning', async t => {
  t.strictSame(['', 'p001', 'books'].map(hash32), [0, -803569068, 1028781751])
})

t.test('a thousand similar values spread evenly', async t => {
  const buckets = new Array<number>(16).fill(0)
  for (let i = 0; i < 16_000; i++) buckets[hash32(`p${i}`) & 15]!++
  // A thousand each; five standard deviations of a fair choice are 153.
  for (const size of buckets) t.ok(Math.abs(size - 1000) < 153, `${size}`)
})

/** The published algorithm in whole numbers of any size. */
function reference(text: string, seed: number): number {
  const word = 0xffff_ffffn
  const rotate = (value: bigint, bits: bigint) => ((value << bits) | (value >> (32n - bits))) & word
  let hash = BigInt(seed)
  for (let i = 0; i < text.length; i++) {
    const block = (rotate((BigInt(text.charCodeAt(i)) * 0xcc9e2d51n) & word, 15n) * 0x1b873593n) & word
    hash = (rotate(hash ^ block, 13n) * 5n + 0xe6546b64n) & word
  }
  hash ^= BigInt(text.length)
  hash = ((hash ^ (hash >> 16n)) * 0x85ebca6bn) & word
  hash = ((hash ^ (hash >> 13n)) * 0xc2b2ae35n) & word
  return Number(BigInt.asIntN(32, hash ^ (hash >> 16n)))
}
