/**
 * Every metric, declared once; `docs/metrics.md` is written from here. Each has the labels `pipeline` and `generation` besides its own. Labels
 * are stages, reasons and names of the definition, and partitions: never a key or an id.
 */

/**
 * Milliseconds; rendered as seconds. Every objective's threshold is a bound, because "how many took at most this long" can
 * only be answered exactly at a bound.
 */
const latencyBoundsMs = [
  0.5, 1, 2, 2.5, 3, 5, 10, 15, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 3_600_000,
]

/** Work inside the process: from a tenth of a millisecond. */
const workBoundsMs = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000,
]

const sizeBounds = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000]

export interface MetricDeclaration {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels?: readonly string[]
  /** Histograms only. */
  readonly bounds?: readonly number[]
  /** Given in milliseconds and rendered in seconds. */
  readonly isDuration?: boolean
}

const counter = (name: string, help: string, ...labels: string[]) => ({ name, type: 'counter', help, labels }) as const
const gauge = (name: string, help: string, ...labels: string[]) => ({ name, type: 'gauge', help, labels }) as const
const durations = (name: string, help: string, bounds: readonly number[]) =>
  ({ name, type: 'histogram', help, bounds, isDuration: true }) as const

export const metricTable = {
  definition: gauge(
    'millrace_definition_info',
    '1 for the hash of the definition that this replica runs.',
    'definition',
  ),
  eventsIn: counter('millrace_events_total', 'Events read from the stream and committed.'),
  eventsApplied: counter('millrace_events_applied_total', 'Events folded into a profile.'),
  dropped: counter('millrace_events_dropped_total', 'Events that a stage dropped on purpose.', 'stage', 'reason'),
  deadLettered: counter('millrace_events_dead_lettered_total', 'Events sent to the dead letters.', 'stage', 'reason'),
  late: counter(
    'millrace_events_late_total',
    "Events older than a trait's window, not applied to that trait.",
    'trait',
  ),

  stageIn: counter('millrace_stage_events_in_total', 'Events a stage was given.', 'stage'),
  stageOut: counter('millrace_stage_events_out_total', 'Events a stage passed on.', 'stage'),
  stageDuration: {
    ...counter('millrace_stage_duration_seconds_total', 'Time spent in a stage.', 'stage'),
    isDuration: true,
  },

  eventToProfile: durations(
    'millrace_event_to_profile_seconds',
    "From when an event says it happened, by its producer's clock, to when its profile was committed, by this process' clock.",
    latencyBoundsMs,
  ),
  brokerToProfile: durations(
    'millrace_broker_to_profile_seconds',
    "From when the broker received an event, by its clock, to when its profile was committed, by this process' clock.",
    latencyBoundsMs,
  ),
  brokerToTrigger: durations(
    'millrace_broker_to_trigger_seconds',
    "From when the broker received an event, by its clock, to when its acknowledgement of a trigger came, by this process' clock.",
    latencyBoundsMs,
  ),

  batchEvents: {
    name: 'millrace_batch_events',
    type: 'histogram',
    help: 'Events in a committed batch.',
    bounds: sizeBounds,
  },
  foldDuration: durations('millrace_fold_duration_seconds', 'Folding the events of a batch.', workBoundsMs),
  commitDuration: durations('millrace_commit_duration_seconds', 'One commit, retries included.', workBoundsMs),
  commitConflicts: counter(
    'millrace_commit_conflicts_total',
    'Commits refused because the stored position was another.',
  ),
  commitRetries: counter(
    'millrace_commit_retries_total',
    'Commits sent again because Redis refused them or the outcome was unknown.',
  ),
  renewalRetries: counter('millrace_lease_renewal_retries_total', 'Renewals of a lease asked for again.'),
  cacheHits: counter('millrace_cache_hits_total', 'Times an event found its profile in memory.'),
  cacheMisses: counter('millrace_cache_misses_total', 'Profiles loaded from the store.'),

  triggers: counter('millrace_triggers_total', 'Triggers committed.', 'trigger'),
  suppressed: counter('millrace_triggers_suppressed_total', 'Triggers held back.', 'trigger', 'reason'),
  segmentChanges: counter(
    'millrace_segment_changes_total',
    'Profiles that entered or left a segment.',
    'segment',
    'change',
  ),
  segmentErrors: counter(
    'millrace_segment_errors_total',
    "Times a segment's condition threw when time alone had passed.",
    'segment',
  ),
  published: counter('millrace_published_total', 'Outbox entries that JetStream acknowledged.', 'stream'),
  publishDuplicates: counter(
    'millrace_publish_duplicates_total',
    'Outbox entries that JetStream already had and did not store again.',
    'stream',
  ),

  natsConnected: gauge('millrace_nats_connected', '1 while this replica has a connection to NATS, otherwise 0.'),
  redisConnected: gauge('millrace_redis_connected', '1 while this replica has a connection to Redis, otherwise 0.'),
  pending: gauge(
    'millrace_partition_pending_events',
    'Events in the stream that are not yet read; absent while nobody knows.',
    'partition',
  ),
  position: gauge('millrace_partition_position', 'Stream position up to which the state is complete.', 'partition'),
  lastEvent: {
    ...gauge(
      'millrace_partition_last_event_timestamp_seconds',
      "Broker's time of the last committed event.",
      'partition',
    ),
    isDuration: true,
  },
  owned: gauge(
    'millrace_partition_owned',
    '1 while this replica owns the partition, running or not, otherwise 0.',
    'partition',
  ),
  outboxEntries: gauge(
    'millrace_partition_outbox_entries',
    'Committed effects not yet acknowledged; absent while nobody knows.',
    'partition',
  ),
  halted: gauge('millrace_partition_halted', '1 while a partition waits for a decision, otherwise 0.', 'partition'),
  halts: counter('millrace_halts_total', 'Partitions halted.', 'reason'),
  readerRestarts: counter(
    'millrace_reader_restarts_total',
    'Readers recreated after a gap, a stall or a lost consumer.',
  ),
} as const satisfies Record<string, MetricDeclaration>

export type MetricName = keyof typeof metricTable
