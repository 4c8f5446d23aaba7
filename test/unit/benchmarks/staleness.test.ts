import t from 'tap'
import { StalenessHistogram } from '../../../benchmarks/harness/staleness.js'

/** Each event is stored at its own number of milliseconds. Whole tens, because the histogram keeps three digits. */
function staleness(seqs: readonly number[], after: number) {
  const stale = new StalenessHistogram(
    [
      { atMs: 100, position: 10 },
      { atMs: 500, position: 20 },
    ],
    after,
  )
  for (const seq of seqs) stale.add(seq, seq)
  const found = stale.percentiles()
  return found && { count: found.count, most: Math.round(found.most / 10) * 10 }
}

t.test('an event is as old as it was when a position at or behind it was first seen', async t => {
  t.strictSame(staleness([10], 0), { count: 1, most: 90 })
  t.strictSame(staleness([11], 0), { count: 1, most: 490 })
  t.strictSame(staleness([1, 10], 0), { count: 2, most: 100 })
  t.strictSame(staleness([1, 10, 20], 0), { count: 3, most: 480 })
})

t.test('what comes before the window, and what was never seen, does not count', async t => {
  t.strictSame(staleness([1, 10], 9), { count: 1, most: 90 })
  t.equal(staleness([21], 0), undefined)
  t.equal(staleness([], 0), undefined)
})
