import t from 'tap'
import { Metrics } from '../../../../engine/metrics/metrics.js'
import { metricTable, type MetricDeclaration } from '../../../../engine/metrics/table.js'

/** Value of one series of the page; `undefined` when it is not there. */
async function read(metrics: Metrics, name: string, labels = ''): Promise<number | undefined> {
  const wanted = `${name}{pipeline="shop",generation="2"${labels}} `
  const line = (await metrics.render()).split('\n').find(line => line.startsWith(wanted))
  return line === undefined ? undefined : Number(line.slice(wanted.length))
}

const declarations = Object.values<MetricDeclaration>(metricTable)

t.test('names follow the rules of Prometheus and of the house', async t => {
  for (const { name, type, isDuration } of declarations) {
    t.match(name, /^millrace_[a-z_]+$/)
    t.equal(name.endsWith('_total'), type === 'counter', `${name}: counters, and only they, end in _total`)
    t.equal(/_seconds(_total)?$/.test(name), isDuration === true, `${name}: durations, and only they, say seconds`)
  }
  t.equal(new Set(declarations.map(({ name }) => name)).size, declarations.length, 'no name twice')
})

t.test('labels are bounded: never a key or an id', async t => {
  const allowed = ['definition', 'stage', 'reason', 'trait', 'trigger', 'segment', 'change', 'stream', 'partition']
  t.strictSame([...new Set(declarations.flatMap(({ labels = [] }) => labels))].sort(), allowed.sort())
})

t.test('the thresholds of the objectives are bucket bounds', async t => {
  for (const declaration of [metricTable.eventToProfile, metricTable.brokerToProfile, metricTable.brokerToTrigger]) {
    for (const thresholdMs of [1, 2.5, 3, 5, 10, 15, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000]) {
      t.ok(declaration.bounds.includes(thresholdMs), `${declaration.name} has ${thresholdMs} ms`)
    }
  }
})

t.test('counters add up', async t => {
  const metrics = new Metrics('shop', 2)
  metrics.eventsIn(5)
  metrics.eventsIn(2)
  metrics.eventsApplied(6)
  metrics.dropped('dedupe', 'duplicate', 1)
  metrics.dropped('dedupe', 'duplicate', 3)
  metrics.deadLettered('decode', 'truncated', 2)
  metrics.late('views', 4)
  metrics.cache(8, 9)
  metrics.triggered('vip', 1)
  metrics.suppressed('vip', 'cap', 2)
  metrics.segmentChanged('big', 'exited', 3)
  metrics.published('TRIGGERS', 7, 1)
  metrics.commitConflict()
  metrics.commitRetry()
  metrics.readerRestart()
  t.equal(await read(metrics, 'millrace_events_total'), 7)
  t.equal(await read(metrics, 'millrace_events_applied_total'), 6)
  t.equal(await read(metrics, 'millrace_events_dropped_total', ',stage="dedupe",reason="duplicate"'), 4)
  t.equal(await read(metrics, 'millrace_events_dead_lettered_total', ',stage="decode",reason="truncated"'), 2)
  t.equal(await read(metrics, 'millrace_events_late_total', ',trait="views"'), 4)
  t.equal(await read(metrics, 'millrace_cache_hits_total'), 8)
  t.equal(await read(metrics, 'millrace_cache_misses_total'), 9)
  t.equal(await read(metrics, 'millrace_triggers_total', ',trigger="vip"'), 1)
  t.equal(await read(metrics, 'millrace_triggers_suppressed_total', ',trigger="vip",reason="cap"'), 2)
  t.equal(await read(metrics, 'millrace_segment_changes_total', ',segment="big",change="exited"'), 3)
  t.equal(await read(metrics, 'millrace_published_total', ',stream="TRIGGERS"'), 7)
  t.equal(await read(metrics, 'millrace_publish_duplicates_total', ',stream="TRIGGERS"'), 1)
  t.equal(await read(metrics, 'millrace_commit_conflicts_total'), 1)
  t.equal(await read(metrics, 'millrace_commit_retries_total'), 1)
  t.equal(await read(metrics, 'millrace_reader_restarts_total'), 1)
})

t.test('a stage counts what it was given, what it passed on and seconds', async t => {
  const metrics = new Metrics('shop', 2)
  const stage = metrics.stage('decode')
  stage.record(10, 9, 500)
  stage.record(10, 10, 250)
  t.equal(await read(metrics, 'millrace_stage_events_in_total', ',stage="decode"'), 20)
  t.equal(await read(metrics, 'millrace_stage_events_out_total', ',stage="decode"'), 19)
  t.equal(await read(metrics, 'millrace_stage_duration_seconds_total', ',stage="decode"'), 0.75)
})

t.test('a histogram is fed milliseconds and shows cumulative seconds', async t => {
  const metrics = new Metrics('shop', 2)
  metrics.brokerToTrigger.observe(3)
  metrics.brokerToTrigger.observe(3.5, 2)
  metrics.brokerToTrigger.observe(4_000_000)
  const bucket = (le: string) => read(metrics, 'millrace_broker_to_trigger_seconds_bucket', `,le="${le}"`)
  t.equal(await bucket('0.0025'), 0)
  t.equal(await bucket('0.003'), 1)
  t.equal(await bucket('0.005'), 3)
  t.equal(await bucket('3600'), 3)
  t.equal(await bucket('+Inf'), 4)
  t.equal(await read(metrics, 'millrace_broker_to_trigger_seconds_count'), 4)
  t.equal(await read(metrics, 'millrace_broker_to_trigger_seconds_sum'), 4000.01)
})

t.test('batch sizes are not durations', async t => {
  const metrics = new Metrics('shop', 2)
  metrics.batchEvents.observe(500)
  t.equal(await read(metrics, 'millrace_batch_events_bucket', ',le="250"'), 0)
  t.equal(await read(metrics, 'millrace_batch_events_bucket', ',le="500"'), 1)
  t.equal(await read(metrics, 'millrace_batch_events_sum'), 500)
})

t.test('a partition shows what was last said about it', async t => {
  const metrics = new Metrics('shop', 2)
  metrics.partition(3, { pending: 7, position: 100, lastEventAt: 1_700_000_000_500, outboxEntries: 2 })
  metrics.partition(3, { pending: 0 })
  t.equal(await read(metrics, 'millrace_partition_pending_events', ',partition="3"'), 0)
  t.equal(await read(metrics, 'millrace_partition_position', ',partition="3"'), 100)
  t.equal(await read(metrics, 'millrace_partition_last_event_timestamp_seconds', ',partition="3"'), 1_700_000_000.5)
  t.equal(await read(metrics, 'millrace_partition_outbox_entries', ',partition="3"'), 2)
})

t.test('what nobody knows now is not shown', async t => {
  const metrics = new Metrics('shop', 2)
  metrics.partition(3, { pending: 7, position: 100, outboxEntries: 2 })
  metrics.partition(3, { pending: 'unknown', outboxEntries: 'unknown' })
  t.equal(await read(metrics, 'millrace_partition_pending_events', ',partition="3"'), undefined)
  t.equal(await read(metrics, 'millrace_partition_outbox_entries', ',partition="3"'), undefined)
  t.equal(await read(metrics, 'millrace_partition_position', ',partition="3"'), 100)
})

t.test('connections are down until somebody says otherwise', async t => {
  const metrics = new Metrics('shop', 2)
  t.equal(await read(metrics, 'millrace_nats_connected'), 0)
  metrics.connections(true, false)
  t.equal(await read(metrics, 'millrace_nats_connected'), 1)
  t.equal(await read(metrics, 'millrace_redis_connected'), 0)
})

t.test('a halt stands until the partition runs again, its count stays', async t => {
  const metrics = new Metrics('shop', 2)
  const halted = () => read(metrics, 'millrace_partition_halted', ',partition="1"')
  metrics.running(1)
  t.equal(await halted(), 0)
  metrics.halted(1, 'events_lost')
  t.equal(await halted(), 1)
  metrics.running(1)
  t.equal(await halted(), 0)
  t.equal(await read(metrics, 'millrace_halts_total', ',reason="events_lost"'), 1)
})

t.test('what a definition can lead to is there at zero before it happens', async t => {
  const metrics = new Metrics('shop', 2)
  const stage = { name: 'decode', drops: ['ignored'], rejects: ['truncated'] }
  metrics.expect([stage], { triggers: ['vip'], segments: ['big'], traits: ['views'] }, ['TRIGGERS'])
  t.equal(await read(metrics, 'millrace_events_total'), 0)
  t.equal(await read(metrics, 'millrace_stage_events_in_total', ',stage="decode"'), 0)
  t.equal(await read(metrics, 'millrace_events_dropped_total', ',stage="decode",reason="ignored"'), 0)
  t.equal(await read(metrics, 'millrace_events_dead_lettered_total', ',stage="decode",reason="truncated"'), 0)
  const deadLettered = 'millrace_events_dead_lettered_total'
  t.equal(await read(metrics, deadLettered, ',stage="decode",reason="operator_error"'), 0)
  t.equal(await read(metrics, deadLettered, ',stage="profile",reason="event_kills"'), 0)
  t.equal(await read(metrics, 'millrace_halts_total', ',reason="events_lost"'), 0)
  t.equal(await read(metrics, 'millrace_halts_total', ',reason="fold_error"'), undefined, 'no halt')
  t.equal(await read(metrics, 'millrace_published_total', ',stream="TRIGGERS"'), 0)
  t.equal(await read(metrics, 'millrace_triggers_suppressed_total', ',trigger="vip",reason="cooldown"'), 0)
  t.equal(await read(metrics, 'millrace_triggers_total', ',trigger="vip"'), 0)
  t.equal(await read(metrics, 'millrace_segment_changes_total', ',segment="big",change="entered"'), 0)
  t.equal(await read(metrics, 'millrace_segment_changes_total', ',segment="big",change="exited"'), 0)
  t.equal(await read(metrics, 'millrace_events_late_total', ',trait="views"'), 0)
})

t.test('every declared metric is on the page with its help and type', async t => {
  const page = await new Metrics('shop', 2).render()
  for (const { name, type, help } of declarations) {
    t.ok(page.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`), name)
  }
})

t.test('metrics of the process join the same page', async t => {
  const metrics = new Metrics('shop', 2)
  t.notMatch(await metrics.render(), /^process_/m)
  metrics.collectProcess()
  t.match(await metrics.render(), /^process_resident_memory_bytes \d+/m)
})

t.test('two engines in one process do not share numbers', async t => {
  const one = new Metrics('shop', 2)
  const other = new Metrics('shop', 2)
  one.eventsIn(1)
  t.equal(await read(other, 'millrace_events_total'), 0)
})

t.test('the page is sent as the text format', async t => {
  t.equal(new Metrics('shop', 2).contentType, 'text/plain; version=0.0.4; charset=utf-8')
})
