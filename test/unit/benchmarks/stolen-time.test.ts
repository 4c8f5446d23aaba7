import t from 'tap'
import { parseProcessorTime, StolenTime } from '../../../benchmarks/harness/stolen-time.js'

t.test('all time is the first eight columns, because guests are in user time already', async t => {
  // proc_stat(5): user nice system idle iowait irq softirq steal guest guest_nice
  const stat = 'cpu  100 10 20 800 5 1 4 60 90 9\ncpu0 1 2 3 4 5 6 7 8 9 10\n'
  t.strictSame(parseProcessorTime(stat), { stolen: 60, all: 1_000 })
})

t.test('the share on this machine is one', async t => {
  const share = new StolenTime().share()
  t.ok(share >= 0 && share <= 1)
})
