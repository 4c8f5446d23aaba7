import t from 'tap'
import { total } from '../../../benchmarks/harness/engine-process.js'

const page = `# HELP millrace_triggers_total Triggers committed.
# TYPE millrace_triggers_total counter
millrace_triggers_total{pipeline="shop",trigger="welcome"} 12
millrace_triggers_total{pipeline="shop",trigger="vip"} 30
millrace_triggers_total_other{pipeline="shop"} 100
millrace_events_total 7
`

t.test('a metric is summed over its series, and nothing else', async t => {
  t.equal(total(page, 'millrace_triggers_total'), 42)
  t.equal(total(page, 'millrace_events_total'), 7)
  t.equal(total(page, 'millrace_absent_total'), 0)
})
