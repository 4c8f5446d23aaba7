/**
 * One class and one table. The code decides what happens, and it is the same word in the metric label, the log, the dead
 * letter's header and the runbook's heading.
 */

/**
 * - `retry`: a dependency is down; the engine waits and tries again, nothing is lost.
 * - `dead_letter`: this event is bad; it goes to DEADLETTERS, the next one is processed.
 * - `halt`: the promise of this partition can no longer be kept without a person's decision; it stops and says so.
 * - `stop`: the process cannot do its work as configured; it ends with exit code 1.
 */
export type ErrorAction = 'retry' | 'dead_letter' | 'halt' | 'stop'

interface ErrorRow {
  readonly action: ErrorAction
  readonly meaning: string
}

export const errorTable = {
  nats_unavailable: { action: 'retry', meaning: 'NATS does not answer.' },
  permission_denied: {
    action: 'retry',
    meaning: 'NATS does not allow its user something that the engine needs; the message names the subject.',
  },
  redis_unavailable: { action: 'retry', meaning: 'Redis does not answer, or the reply to a commit was lost.' },
  starting: { action: 'retry', meaning: 'The engine has not started yet.' },
  prepare_failed: { action: 'retry', meaning: 'A stage could not load what it needs for a batch.' },
  publish_failed: {
    action: 'retry',
    meaning: 'JetStream did not acknowledge a published trigger, segment change or dead letter.',
  },

  fenced: { action: 'retry', meaning: 'Another replica took the partition over; this one stands by.' },

  operator_error: { action: 'dead_letter', meaning: 'A stage threw while it processed the event.' },
  fold_error: { action: 'dead_letter', meaning: 'A trait, segment or trigger of the definition threw on the event.' },
  key_missing: { action: 'dead_letter', meaning: 'No stage gave the event a key.' },
  wrong_partition: {
    action: 'dead_letter',
    meaning: "The event's key belongs to another partition than its subject says.",
  },
  from_the_future: {
    action: 'dead_letter',
    meaning: 'The event says it happened later than the allowed clock difference.',
  },
  event_kills: {
    action: 'dead_letter',
    meaning: 'The process died whenever it processed the event, so it was set aside without being given to any stage.',
  },
  profile_too_large: { action: 'dead_letter', meaning: 'The event would grow its profile past maxBytes.' },

  stream_missing: { action: 'halt', meaning: 'A stream does not exist.' },
  stream_recreated: { action: 'halt', meaning: 'The event stream is not the one this state was computed from.' },
  stream_truncated: {
    action: 'halt',
    meaning: "The event stream ends before the partition's position: it lost events.",
  },
  anchor_mismatch: {
    action: 'halt',
    meaning: "The event at the partition's position is not the one that was processed.",
  },
  events_lost: {
    action: 'halt',
    meaning: 'The stream no longer holds events that were not processed: retention was too short.',
  },
  state_lost: {
    action: 'halt',
    meaning: 'Redis does not hold the state that NATS has on record: it was flushed or swapped.',
  },
  definition_rolled_back: {
    action: 'halt',
    meaning: 'Redis went back to before the current definition took effect; replaying would apply it to older events.',
  },
  generation_mismatch: {
    action: 'halt',
    meaning:
      'A generation that is being built does not fit the one before it, or its definition has changed meanwhile.',
  },
  output_shared: { action: 'halt', meaning: 'Another pipeline publishes to the same stream and partition.' },
  timer_error: {
    action: 'halt',
    meaning: 'Something failed when time alone had passed; no event is at fault.',
  },
  outbox_unreadable: { action: 'halt', meaning: 'A stored effect cannot be decoded.' },
  profile_unreadable: { action: 'halt', meaning: 'A stored profile cannot be decoded with any known layout.' },

  replica_name_taken: {
    action: 'stop',
    meaning: 'A process that started later has the same replica name; each needs its own.',
  },
  config_invalid: { action: 'stop', meaning: 'The configuration has problems; all are listed.' },
  pipeline_invalid: { action: 'stop', meaning: 'The pipeline definition has problems; all are listed.' },
  jetstream_missing: { action: 'stop', meaning: 'The NATS server or account has no JetStream.' },
  authentication_failed: { action: 'stop', meaning: 'NATS or Redis refused the credentials.' },
  provision_mismatch: {
    action: 'stop',
    meaning: 'A stream differs from what the pipeline needs, or cannot be created; every difference is listed.',
  },
  mapping_missing: { action: 'stop', meaning: 'The server does not map producer subjects to partitions.' },
  eviction_policy: { action: 'stop', meaning: 'Redis may evict keys; profiles would vanish silently.' },
} as const satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof errorTable

export function codesOf(action: ErrorAction): ErrorCode[] {
  return (Object.keys(errorTable) as ErrorCode[]).filter(code => errorTable[code].action === action)
}

export class MillraceError extends Error {
  override readonly name = 'MillraceError'

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly lines?: readonly string[] } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.lines = options.lines ?? []
  }

  /** Every single problem, when the code stands for several. */
  readonly lines: readonly string[]

  get action(): ErrorAction {
    return errorTable[this.code].action
  }

  /** The halts, which `millrace partitions resume` answers. */
  get isHalt(): boolean {
    return this.action === 'halt'
  }
}

/** Text of anything thrown, for logs and dead letters. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
