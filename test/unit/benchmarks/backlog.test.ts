import t from 'tap'
import { Backlog } from '../../../benchmarks/harness/backlog.js'
import { partitionOf } from '../../../engine/nats/partitioning.js'

const keys = ['a', 'b', 'a', 'c', 'd', 'a']
const filled = () => {
  const backlog = new Backlog(4)
  for (const key of keys)
    backlog.add({ subject: `events.shop.viewed.${key}`, payload: Buffer.alloc(10), messageId: '' })
  return backlog
}

t.test('an event belongs to the partition of its key, at the sequence in which it was added', async t => {
  const backlog = filled()
  const partition = partitionOf('a', 4)
  const seqs = keys.flatMap((key, at) => (partitionOf(key, 4) === partition ? [at + 1] : []))
  t.equal(backlog.counts[partition], seqs.length)
  t.equal(backlog.lastSeqs[partition], 6)
  for (let position = 0; position <= 7; position++) {
    t.equal(backlog.upTo(partition, position), seqs.filter(seq => seq <= position).length, `position ${position}`)
  }
})

t.test('all partitions together have all events', async t => {
  const backlog = filled()
  t.equal(backlog.events, keys.length)
  t.equal(backlog.payloadBytes, keys.length * 10)
  t.equal(
    backlog.counts.reduce((sum, count) => sum + count, 0),
    keys.length,
  )
  t.equal(
    [0, 1, 2, 3].reduce((sum, partition) => sum + backlog.upTo(partition, keys.length), 0),
    keys.length,
  )
})

t.test('a partition without events has none at any position', async t => {
  const backlog = new Backlog(2)
  t.strictSame(backlog.lastSeqs, [0, 0])
  t.equal(backlog.upTo(1, 1_000), 0)
})
