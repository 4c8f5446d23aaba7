import { test } from 'tap'
import type { PartitionReadiness } from '../../../../engine/admin/admin.js'
import { mergeReadiness, type ReplicaReadiness } from '../../../../engine/cli/supervisor-readiness.js'

const runs = (partition: number, owner: string) => ({ partition, state: 'running', owner }) as const
const standsBy = (partition: number, owner = '') => ({ partition, state: 'standby', owner }) as const

function replica(partitions: readonly PartitionReadiness[], change: Partial<ReplicaReadiness> = {}): ReplicaReadiness {
  return { replica: 'some', ready: true, nats: 'connected', redis: 'connected', partitions, ...change }
}

test('ready when together every partition runs, although no replica runs them all', async t => {
  const merged = mergeReadiness(
    [
      { name: 'a', answer: replica([runs(0, 'a'), standsBy(1, 'b')]) },
      { name: 'b', answer: replica([standsBy(0, 'a'), runs(1, 'b')]) },
    ],
    2,
  )
  t.match(merged, { ready: true, nats: 'connected', redis: 'connected', halts: [] })
  t.strictSame(merged.partitions, [runs(0, 'a'), runs(1, 'b')])
  t.match(merged.replicas, [
    { replica: 'a', answers: true, owned: [0] },
    { replica: 'b', answers: true, owned: [1] },
  ])
})

test('not ready while the owner of a partition does not answer', async t => {
  const merged = mergeReadiness(
    [
      { name: 'a', answer: replica([runs(0, 'a'), standsBy(1, 'b')]) },
      { name: 'b', answer: undefined },
    ],
    2,
  )
  t.equal(merged.ready, false)
  t.strictSame(merged.partitions[1], standsBy(1, 'b'))
  t.match(merged.replicas[1], { replica: 'b', answers: false })
})

test('a partition that a replica elsewhere owns is as good as one that runs here', async t => {
  const ours = [{ name: 'a', answer: replica([runs(0, 'a'), standsBy(1, 'other-machine')]) }]
  t.equal(mergeReadiness(ours, 2).ready, true)
})

test('not ready while one of them has no connection to NATS', async t => {
  const cutOff = replica([runs(0, 'a')], { nats: 'disconnected' })
  t.match(mergeReadiness([{ name: 'a', answer: cutOff }], 1), { ready: false, nats: 'disconnected' })
})

test('one that is just starting says nothing about the connections', async t => {
  const away = { ready: false, nats: 'disconnected', redis: 'disconnected' } as const
  const starting: ReplicaReadiness = { ...away, partitions: [standsBy(0, 'a')] }
  const asked = [
    { name: 'a', answer: replica([runs(0, 'a')]) },
    { name: 'b', answer: starting },
  ]
  t.match(mergeReadiness(asked, 1), { ready: true, nats: 'connected', redis: 'connected' })
})

test('not ready while nobody owns a partition, or nobody answers', async t => {
  t.equal(mergeReadiness([{ name: 'a', answer: replica([runs(0, 'a'), standsBy(1)]) }], 2).ready, false)
  const silent = mergeReadiness([{ name: 'a', answer: undefined }], 1)
  t.match(silent, { ready: false, nats: 'disconnected', redis: 'disconnected', partitions: [standsBy(0)] })
})

test('a halt of any replica is said', async t => {
  const halted = { partition: 1, state: 'halted', owner: 'b', reason: 'events_lost' } as const
  const merged = mergeReadiness(
    [
      { name: 'a', answer: replica([runs(0, 'a'), standsBy(1, 'b')]) },
      { name: 'b', answer: replica([standsBy(0, 'a'), halted]) },
    ],
    2,
  )
  t.match(merged, { ready: false, halts: [halted] })
})

test('a connection counts when every replica that answers has it', async t => {
  const cutOff = replica([standsBy(0, 'a')], { redis: 'disconnected' })
  const merged = mergeReadiness(
    [
      { name: 'a', answer: replica([runs(0, 'a')]) },
      { name: 'b', answer: cutOff },
      { name: 'c', answer: undefined },
    ],
    1,
  )
  t.match(merged, { nats: 'connected', redis: 'disconnected' })
})
