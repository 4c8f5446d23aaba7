import fc from 'fast-check'
import { test } from 'tap'
import type { MemoryBucket } from '../../../../engine/index.js'
import { RecentHashes } from '../../../../engine/partition/hash-memory.js'

const start = 1_700_000_000_000
const hourMs = 3_600_000
const minuteMs = 60_000

/** A store of what was drained, as far as a memory needs it. */
class Buckets {
  readonly buckets = new Map<number, Buffer>()

  write(memory: RecentHashes, position: number, now = start): void {
    for (const { bucket, bytes } of memory.drain(position, now)) {
      if (bytes === undefined) this.buckets.delete(bucket)
      else this.buckets.set(bucket, Buffer.concat([this.buckets.get(bucket) ?? Buffer.alloc(0), bytes]))
    }
  }

  /** What another process starts from. */
  restored(windowMs: number, now: number): RecentHashes {
    const memory = new RecentHashes('dedupe', windowMs)
    const { from, to } = memory.bucketsAt(now)
    const wanted: MemoryBucket[] = []
    for (const [bucket, bytes] of this.buckets) if (bucket >= from && bucket <= to) wanted.push({ bucket, bytes })
    memory.restore(wanted.sort((a, b) => a.bucket - b.bucket))
    return memory
  }

  get hashes(): number {
    return [...this.buckets.values()].reduce((sum, bytes) => sum + bytes.length / 8, 0)
  }
}

test('a hash is new once, and both its halves count', async t => {
  const memory = new RecentHashes('dedupe', hourMs)
  t.equal(memory.checkAndAdd(1, 2, start), false)
  t.equal(memory.checkAndAdd(1, 2, start), true)
  t.equal(memory.checkAndAdd(1, 3, start), false)
  t.equal(memory.checkAndAdd(2, 1, start), false)
  t.equal(memory.checkAndAdd(0, 0, start), false, 'zero is a hash like any other')
  t.equal(memory.checkAndAdd(0, 0, start), true)
  t.equal(memory.checkAndAdd(0xffffffff, 0xffffffff, start), false)
  t.equal(memory.checkAndAdd(0xffffffff, 0xffffffff, start), true)
})

for (const windowMs of [1_000, 2_500, 10_000, hourMs, 90 * minuteMs, 7 * 24 * hourMs]) {
  // A twelfth of the window, a second at least.
  const graceMs = Math.max(1_000, Math.ceil(windowMs / 12))
  test(`with a window of ${windowMs} ms a hash is remembered for at least that and a twelfth longer at most`, async t => {
    for (const offset of [0, 1, 999, graceMs - 1]) {
      const at = start + offset
      const inside = new RecentHashes('dedupe', windowMs)
      inside.checkAndAdd(1, 2, at)
      t.equal(inside.checkAndAdd(1, 2, at + windowMs - 1), true, `${offset}: the last moment of the window`)
      const outside = new RecentHashes('dedupe', windowMs)
      outside.checkAndAdd(1, 2, at)
      t.equal(outside.checkAndAdd(1, 2, at + windowMs + 2 * graceMs), false, `${offset}: after it`)
    }
  })
}

test('a repetition does not make the memory longer', async t => {
  const memory = new RecentHashes('dedupe', hourMs)
  memory.checkAndAdd(1, 2, start)
  t.equal(memory.checkAndAdd(1, 2, start + 50 * minuteMs), true)
  t.equal(memory.checkAndAdd(1, 2, start + 70 * minuteMs), false)
})

test('a commit takes the hashes up to its position, and only those', async t => {
  const memory = new RecentHashes('dedupe', hourMs)
  const store = new Buckets()
  for (const seq of [1, 2, 3]) {
    memory.seq = seq
    memory.checkAndAdd(seq, 0, start)
    memory.checkAndAdd(seq, 1, start)
  }
  t.strictSame(memory.drain(0, start), [])
  store.write(memory, 2)
  t.equal(store.hashes, 4)
  t.strictSame(memory.drain(2, start), [], 'nothing is handed out twice')
  store.write(memory, 3)
  t.equal(store.hashes, 6)
})

test('another process knows what was committed, and not what was not', async t => {
  const memory = new RecentHashes('dedupe', hourMs)
  const store = new Buckets()
  memory.seq = 1
  memory.checkAndAdd(7, 0xdeadbeef, start)
  memory.seq = 2
  memory.checkAndAdd(8, 0xdeadbeef, start)
  store.write(memory, 1)
  const other = store.restored(hourMs, start)
  t.equal(other.checkAndAdd(7, 0xdeadbeef, start + 1), true)
  t.equal(other.checkAndAdd(8, 0xdeadbeef, start + 1), false)
})

test('what has left the window leaves the store', async t => {
  const memory = new RecentHashes('dedupe', hourMs)
  const store = new Buckets()
  for (let i = 0; i < 600; i++) {
    memory.seq = i
    memory.checkAndAdd(i, i, start + i * minuteMs)
    store.write(memory, i, start + i * minuteMs)
  }
  t.ok(store.hashes >= 60 && store.hashes <= 70, `${store.hashes} of 600 are kept`)
  t.equal(store.buckets.size, 13)
})

test('however long ago it was, what has expired is not taken for seen', async t => {
  for (let buckets = 14; buckets <= 800; buckets++) {
    const leap = new RecentHashes('dedupe', 12_000)
    leap.checkAndAdd(1, 2, start)
    t.equal(leap.checkAndAdd(1, 2, start + buckets * 1_000), false, `${buckets} buckets in one leap`)
  }
  const memory = new RecentHashes('dedupe', 12_000)
  for (let bucket = 0; bucket < 2_000; bucket++) {
    const now = start + bucket * 1_000
    // One that is new each time, one that comes again after all others.
    t.equal(memory.checkAndAdd(1, bucket, now), false)
    if (bucket >= 400) t.equal(memory.checkAndAdd(1, bucket - 400 + 2 ** 20, now), false)
    memory.checkAndAdd(1, bucket + 2 ** 20, now)
  }
})

test('the table grows with what is remembered and shrinks when that has expired', async t => {
  const memory = new RecentHashes('dedupe', hourMs)
  for (let i = 0; i < 100_000; i++) memory.checkAndAdd(Math.imul(i, 0x9e3779b1) >>> 0, i, start)
  t.equal(memory.size, 100_000)
  for (let i = 0; i < 100_000; i++) {
    if (!memory.checkAndAdd(Math.imul(i, 0x9e3779b1) >>> 0, i, start)) return t.fail(`hash ${i} was forgotten`)
  }
  // Much later there are new ones, and the old ones make room.
  for (let i = 0; i < 100_000; i++) memory.checkAndAdd(Math.imul(i, 0x9e3779b1) >>> 0, i + 1, start + 5 * hourMs)
  t.ok(memory.size < 150_000, `${memory.size} are in the table`)
})

test('it decides as a plain map would, through commits and restarts', async t => {
  const windowMs = 12_000
  const step = fc.record({
    hash: fc.integer({ min: 0, max: 30 }),
    waitMs: fc.integer({ min: 0, max: 3_000 }),
    then: fc.constantFrom('go on', 'go on', 'go on', 'commit', 'restart'),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), steps => {
      let memory = new RecentHashes('dedupe', windowMs)
      const store = new Buckets()
      const plain = new Map<number, number>()
      const committed = new Map<number, number>()
      let now = start
      for (const [seq, { hash, waitMs, then }] of steps.entries()) {
        now += waitMs
        memory.seq = seq
        const found = memory.checkAndAdd(hash, hash ^ 5, now)
        const bucket = Math.floor(now / 1_000)
        const known = plain.get(hash)
        t.equal(found, known !== undefined && bucket - known <= 12)
        if (!found) plain.set(hash, bucket)
        if (then === 'go on') continue
        if (then === 'commit') {
          store.write(memory, seq)
          committed.clear()
          for (const [key, at] of plain) committed.set(key, at)
          continue
        }
        memory = store.restored(windowMs, now)
        plain.clear()
        for (const [key, at] of committed) plain.set(key, at)
      }
    }),
    { numRuns: 100 },
  )
})

test('what has left the window leaves the store although nothing new comes', async t => {
  const memory = new RecentHashes('dedupe', hourMs)
  const store = new Buckets()
  memory.seq = 1
  memory.checkAndAdd(1, 1, start)
  store.write(memory, 1)
  store.write(memory, 1, start + 30 * minuteMs)
  t.equal(store.hashes, 1)
  store.write(memory, 1, start + 90 * minuteMs)
  t.equal(store.buckets.size, 0)
})

test('what a commit leaves in the store is what its own time needs, however far the stages are', async t => {
  const memory = new RecentHashes('dedupe', hourMs)
  const store = new Buckets()
  const later = start + 180 * minuteMs
  memory.seq = 1
  memory.checkAndAdd(1, 1, start)
  memory.seq = 2
  memory.checkAndAdd(2, 2, later)
  store.write(memory, 1, start)
  t.equal(store.restored(hourMs, start).checkAndAdd(1, 1, start + minuteMs), true, 'another process goes on from there')
  store.write(memory, 2, later)
  t.equal(store.hashes, 1, 'and then it goes')
})

test('what is older than the window when it is committed is never stored', async t => {
  const memory = new RecentHashes('dedupe', hourMs)
  const later = start + 180 * minuteMs
  memory.seq = 1
  memory.checkAndAdd(1, 1, start)
  memory.seq = 2
  memory.checkAndAdd(2, 2, later)
  const buckets = memory.drain(2, later).map(({ bytes }) => bytes?.length)
  t.strictSame(buckets, [8])
})
