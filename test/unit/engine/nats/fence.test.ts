import { test } from 'tap'
import { fenceOf, weakest } from '../../../../engine/nats/fence.js'

const minute = 60_000
const all = { takesAtomicBatches: true, takesFastBatches: true, duplicateWindowMs: minute }
const atomic = { ...all, takesFastBatches: false }

test('a fence is what the server knows and the stream allows', async t => {
  t.equal(fenceOf('2.10.27', all), 'none')
  t.equal(fenceOf('2.11.0', all), 'each')
  t.equal(fenceOf('2.12.1', all), 'batch')
  t.equal(fenceOf('2.14.0', all), 'fast_batch')
  t.equal(fenceOf('2.14.0', atomic), 'batch')
  t.equal(fenceOf('2.14.0', { ...atomic, takesAtomicBatches: false }), 'each')
})

test('there are no fast batches where an unfinished one could outlive its ids', async t => {
  t.equal(fenceOf('2.14.0', { ...all, duplicateWindowMs: minute - 1 }), 'batch')
})

test('of several the weakest counts', async t => {
  t.equal(weakest(['fast_batch', 'each', 'batch']), 'each')
  t.equal(weakest(['fast_batch', 'batch']), 'batch')
  t.equal(weakest([]), 'none')
})
