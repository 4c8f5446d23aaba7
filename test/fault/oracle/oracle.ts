/**
 * Judges a finished run: reads every event back from the broker, works out what must have come of them, and holds that against
 * what did. It shares no code with the engine.
 *
 *   stored-messages  what is stored, through plain NATS requests
 *   rules            what becomes of each event before a profile is looked at
 *   visitor          what becomes of each person
 *   expectation      what must have come of a partition
 *   published, stored-profiles, violations   the differences
 */
import type { Cluster, Redis } from 'ioredis'
import type { NatsConnection } from 'nats'
import type { Pipeline } from '../../../engine/millrace.js'
import { Expectation, type Editions, type Lane } from './expectation.js'
import { comparePublished, type Delay, type LaneSource } from './published.js'
import { compareProfiles, findStrays } from './stored-profiles.js'
import { eachStored, type StoredMessage } from './stored-messages.js'
import type { Violations } from './violations.js'

export interface OracleOptions {
  readonly connection: NatsConnection
  readonly redis: Redis | Cluster
  /** The edition that ran last. */
  readonly pipeline: Pipeline
  readonly editions: (partition: number) => Editions
  /** Told of every stored event. */
  readonly onEvent?: (message: StoredMessage) => void
}

export interface Judgement {
  readonly events: number
  readonly applied: number
  readonly duplicates: number
  readonly profiles: number
  readonly published: Readonly<Record<Lane, number>>
  readonly delays: readonly Delay[]
}

/** Differences go to `violations`. Nothing may be left to process, and nothing that time alone brings. */
export async function judge(options: OracleOptions, violations: Violations): Promise<Judgement> {
  const { connection, redis, pipeline, editions, onEvent } = options
  const expectations = expectationsOf(pipeline, editions)
  await eachStored(connection, 'EVENTS', message => {
    onEvent?.(message)
    expectations[partitionIn(message)]!.take(message)
  })
  const source: LaneSource = (lane, take) => eachStored(connection, lane.toUpperCase(), take)
  return compare(expectations, { source, redis, pipeline }, violations)
}

/** One for each partition, nothing taken yet. */
export function expectationsOf({ partitions }: Pipeline, editions: OracleOptions['editions']): Expectation[] {
  return Array.from({ length: partitions }, (_, p) => new Expectation(p, partitions, editions(p)))
}

/** Partition that a stored event belongs to. */
export function partitionIn({ subject }: StoredMessage): number {
  return Number(subject.split('.', 2)[1])
}

export interface Outcome {
  readonly source: LaneSource
  readonly redis: Redis | Cluster
  readonly pipeline: Pipeline
}

/** Holds what came of it against what had to, once all events are taken. */
export async function compare(
  expectations: readonly Expectation[],
  { source, redis, pipeline }: Outcome,
  violations: Violations,
): Promise<Judgement> {
  for (const expectation of expectations) expectation.finish()
  const published = await comparePublished(source, expectations, violations)
  const profiles = await compareProfiles(redis, pipeline, expectations, violations)
  await findStrays(redis, expectations.length, violations)
  const total = (field: 'events' | 'applied' | 'duplicates') =>
    expectations.reduce((sum, expectation) => sum + expectation[field], 0)
  return {
    events: total('events'),
    applied: total('applied'),
    duplicates: total('duplicates'),
    profiles,
    published: {
      triggers: published.triggers.count,
      suppressed: published.suppressed.count,
      segments: published.segments.count,
      deadletters: published.deadletters.count,
    },
    delays: published.triggers.delays,
  }
}
