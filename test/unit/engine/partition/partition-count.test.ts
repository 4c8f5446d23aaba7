import { test } from 'tap'
import { requireCount } from '../../../../engine/partition/partition-count.js'
import { MemoryStore } from '../../../../profiles/memory-store.js'
import { next } from '../../../conformance/store-kinds.js'
import { takeOver } from '../../../support/ownership.js'

test('a pipeline keeps its number of partitions', async t => {
  const store = new MemoryStore()
  await requireCount(store, 4)
  for (const partition of [0, 3]) {
    const meta = await takeOver(store, partition, 'owner', 'state')
    await store.commit(partition, next(meta, 'c1', { meta: { partitions: 4 } }))
  }
  await requireCount(store, 4)
  for (const changed of [1, 3, 5, 64]) {
    await t.rejects(requireCount(store, changed), {
      code: 'pipeline_invalid',
      message: new RegExp(`partitions must stay .*, 4, got ${changed}`),
    })
  }
})
