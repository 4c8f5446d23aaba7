import { test } from 'tap'
import { mergeMetrics, supervisorMetrics } from '../../../../engine/cli/supervisor-metrics.js'
import { Metrics } from '../../../../engine/metrics/metrics.js'
import { Exposition } from '../../../support/exposition.js'

test('the pages of two engines become one valid page in which every series names its replica', async t => {
  const engines = [new Metrics('shop', 2), new Metrics('shop', 2)]
  engines.forEach((engine, i) => {
    engine.collectProcess()
    engine.eventsIn(10 + i)
    engine.commitDuration.observe(3)
    engine.commitDuration.observe(7, 1 + i)
    engine.acquired(i)
  })
  const texts = await Promise.all(engines.map(engine => engine.render()))
  const page = new Exposition(mergeMetrics(texts.map((text, i) => ({ replica: `shop-${i}`, text }))))
  t.strictSame(page.problems, [])
  t.strictSame(
    page.samples.filter(({ labels }) => !/^shop-[01]$/.test(labels['replica'] ?? '')),
    [],
  )
  t.equal(
    page.samples.length,
    texts.map(text => new Exposition(text).samples.length).reduce((a, b) => a + b),
  )
  t.equal(page.sum('millrace_events_total', { replica: 'shop-1' }), 11)
  t.equal(page.sum('millrace_events_total'), 21)
  t.equal(page.sum('millrace_commit_duration_seconds_count', { replica: 'shop-1' }), 3)
  t.equal(page.sum('millrace_commit_duration_seconds_bucket', { replica: 'shop-1', le: '0.005' }), 1)
  t.equal(page.sum('millrace_partition_owned', { replica: 'shop-0', partition: '0', pipeline: 'shop' }), 1)
})

test('a metric that only one engine has is on the page, once, with its help', async t => {
  const both = '# HELP a all\n# TYPE a counter\na 1\n'
  const merged = mergeMetrics([
    { replica: 'x', text: both },
    { replica: 'y', text: `${both}\n# HELP b some\n# TYPE b gauge\nb{c="d"} 2\n` },
  ])
  t.equal(
    merged,
    [
      '# HELP a all',
      '# TYPE a counter',
      'a{replica="x"} 1',
      'a{replica="y"} 1',
      '',
      '# HELP b some',
      '# TYPE b gauge',
      'b{c="d",replica="y"} 2',
      '',
    ].join('\n'),
  )
})

test('label values keep braces, quotes and backslashes, in names of replicas too', async t => {
  const text = '# HELP a all\n# TYPE a gauge\na{b="} {\\"c\\\\"} 1\na{} 2\n'
  const page = new Exposition(mergeMetrics([{ replica: 'x"\\', text }]))
  t.strictSame(page.problems, [])
  t.strictSame(page.samples, [
    { name: 'a', labels: { b: '} {\\"c\\\\', replica: 'x\\"\\\\' }, value: 1 },
    { name: 'a', labels: { replica: 'x\\"\\\\' }, value: 2 },
  ])
})

test('the supervisor says which replicas answer and how often each was started again', async t => {
  const page = new Exposition(
    supervisorMetrics('shop', [
      { name: 'shop-0', isUp: true, restarts: 0 },
      { name: 'shop-1', isUp: false, restarts: 3 },
    ]),
  )
  t.strictSame(page.problems, [])
  t.strictSame(page.samples, [
    { name: 'millrace_replica_up', labels: { pipeline: 'shop', replica: 'shop-0' }, value: 1 },
    { name: 'millrace_replica_up', labels: { pipeline: 'shop', replica: 'shop-1' }, value: 0 },
    { name: 'millrace_replica_restarts_total', labels: { pipeline: 'shop', replica: 'shop-0' }, value: 0 },
    { name: 'millrace_replica_restarts_total', labels: { pipeline: 'shop', replica: 'shop-1' }, value: 3 },
  ])
})
