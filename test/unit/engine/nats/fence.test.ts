import { test } from 'tap'
import { fenceOf, maxFastEntries, weakest } from '../../../../engine/nats/fence.js'

const minutes = 60_000
const all = { takesAtomicBatches: true, takesFastBatches: true, duplicateWindowMs: 10 * minutes }
const atomic = { ...all, takesFastBatches: false }

test('a fence is what the server knows and the stream allows', async t => {
  t.equal(fenceOf('2.10.27', all), 'none')
  t.equal(fenceOf('2.11.0', all), 'each')
  t.equal(fenceOf('2.12.1', all), 'batch')
  t.equal(fenceOf('2.14.0', all), 'fast_batch')
  t.equal(fenceOf('2.14.0', atomic), 'batch')
  t.equal(fenceOf('2.14.0', { ...atomic, takesAtomicBatches: false }), 'each')
})

test('there are no fast batches where the rest of one could come after its ids are forgotten', async t => {
  // 58 messages and 10 s between each, before the first one and after the last one.
  t.equal(maxFastEntries, 58)
  t.equal(fenceOf('2.14.0', { ...all, duplicateWindowMs: 10 * minutes - 1 }), 'batch')
})

test('of several the weakest counts', async t => {
  t.equal(weakest(['fast_batch', 'each', 'batch']), 'each')
  t.equal(weakest(['fast_batch', 'batch']), 'batch')
  t.equal(weakest([]), 'none')
})
