/** The page about metrics, written from their declaration. */
import { metricTable, type MetricDeclaration } from './table.js'

/** The text of `docs/metrics.md`. */
export function metricsPage(): string {
  const rows = Object.values<MetricDeclaration>(metricTable).map(({ name, type, labels = [], help }) => {
    const shown = labels.map(label => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${type} | ${shown} | ${help} |`
  })
  return `${[
    '# Metrics',
    '',
    '<!-- Generated from engine/metrics/table.ts; a test compares. -->',
    '',
    'Served at `/metrics` of the admin port. Every metric also has the labels `pipeline` and `generation`. Numbers are recorded once per batch.',
    'Besides these there are the usual `process_` and `nodejs_` metrics. Several replicas may report the same partition for a',
    'moment while it moves: take `max by (partition)` of a gauge before any `sum`, but `sum` of `millrace_partition_owned`',
    '([replicas.md](replicas.md#what-the-metrics-mean)). With `run --processes` every series has the label `replica` too, and there are',
    '`millrace_replica_up` and `millrace_replica_restarts_total`.',
    '',
    '| metric | type | labels | what it is |',
    '|---|---|---|---|',
    ...rows,
    '',
    '## Bucket bounds',
    '',
    'Prometheus 3 writes whole bounds with a fraction: match `le=~"5(\\\\.0)?"`.',
    '',
    '| histogram | bounds |',
    '|---|---|',
    ...Object.values<MetricDeclaration>(metricTable).flatMap(boundsRow),
  ].join('\n')}\n`
}

function boundsRow({ name, bounds, isDuration }: MetricDeclaration): string[] {
  if (bounds === undefined) return []
  return [`| \`${name}\` | ${bounds.map(bound => (isDuration === true ? bound / 1000 : bound)).join(', ')} |`]
}
