/**
 * Makes or checks the streams and the mapping of producer subjects to partitions.
 *
 * From 2.10 on the event stream maps subjects itself (`subject_transform`); older servers need a mapping in the account's
 * configuration, which only the operator of the server can add, so the engine says the lines and checks that they work.
 */
import {
  headers,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
  type NatsConnection,
  type StreamConfig,
} from 'nats'
import { MillraceError } from '../errors.js'
import { isNotFound, natsError } from './connection.js'
import { lanes, ledgerStream, type Names } from './names.js'
import type { BatchConfig } from './streams.js'
import { partitionOf } from './partitioning.js'
import { refusalOf } from './refusal.js'
import { isAtLeast } from '../version.js'

export interface ProvisionOptions {
  readonly mode: 'create' | 'verify' | 'off'
  readonly partitions: number
  readonly replicas: number
  /** How long created streams keep events, milliseconds. */
  readonly keepMs: number
  /** The event stream must keep events at least this long, milliseconds. */
  readonly minKeepMs: number
  /** Somebody asked for it, who knows that all servers of a cluster are as new as the one that is connected. */
  readonly isExplicit?: boolean
}

type Wanted = Partial<StreamConfig & BatchConfig> & { name: string; subjects: string[] }

const nanos = 1e6
/** Server default; long enough for a publisher's retries, short enough to stay in the server's memory. */
const eventDuplicatesMs = 120_000
/** Published effects are recognized for longer: a restart may publish again what it cannot know to be out. */
const effectDuplicatesMs = 600_000

/** Throws `provision_mismatch` or `mapping_missing` with a line for every difference and refusal. Returns what was created. */
export async function provision(
  connection: NatsConnection,
  names: Names,
  options: ProvisionOptions,
): Promise<string[]> {
  if (options.mode === 'off') return []
  const created: string[] = []
  const differences: string[] = []
  const version = connection.info?.version ?? '0'
  const manager = await connection.jetstreamManager({ timeout: 5_000, checkAPI: false })
  // An older server of a cluster lets go of a stream that takes batches which it does not know.
  const mayBatch = connection.info?.cluster === undefined || options.isExplicit === true
  for (const wanted of wantedStreams(names, options, version, mayBatch)) {
    try {
      const { config } = await manager.streams.info(wanted.name)
      const own = compare(wanted, config, wanted.name === names.streams.events ? options.minKeepMs : 0)
      if (options.mode === 'create' && mayBatch && own.length === 0) await allowBatches(manager, wanted, config)
      differences.push(...own)
    } catch (error) {
      if (!isNotFound(error)) throw natsError(error, `cannot read stream "${wanted.name}"`)
      if (options.mode === 'verify') {
        differences.push(`stream "${wanted.name}" does not exist; "check --provision" creates it`)
        continue
      }
      const refusal = await create(manager, wanted)
      if (refusal === undefined) created.push(wanted.name)
      else differences.push(`stream "${wanted.name}" cannot be created: ${refusal}`)
    }
  }
  const advice = await missingMapping(connection, names, options.partitions).catch((error: unknown) => {
    throw natsError(error, 'cannot find out how subjects are mapped')
  })
  if (differences.length > 0) {
    const lines = advice === undefined ? differences : [...differences, advice]
    throw new MillraceError('provision_mismatch', `streams differ: ${lines.join('; ')}`, { lines })
  }
  if (advice !== undefined) throw new MillraceError('mapping_missing', advice)
  return created
}

function wantedStreams(names: Names, options: ProvisionOptions, version: string, mayBatch: boolean): Wanted[] {
  const common = {
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    num_replicas: options.replicas,
    // Direct gets answer from any replica, also from one that lags.
    allow_direct: false,
  }
  const events: Wanted = {
    ...common,
    name: names.streams.events,
    subjects: [names.eventSubjects()],
    max_age: options.keepMs * nanos,
    duplicate_window: eventDuplicatesMs * nanos,
    ...(isAtLeast(version, '2.10')
      ? { subject_transform: { src: names.eventSubjects(), dest: names.eventMapping(options.partitions) } }
      : {}),
  }
  const effects = lanes.map(lane => ({
    ...common,
    name: names.streams[lane],
    subjects: [names.laneSubjects(lane)],
    max_age: options.keepMs * nanos,
    duplicate_window: effectDuplicatesMs * nanos,
    ...(mayBatch && isAtLeast(version, '2.12') ? { allow_atomic: true } : {}),
    ...(mayBatch && isAtLeast(version, '2.14') ? { allow_batched: true } : {}),
  }))
  const ledger = {
    ...common,
    name: ledgerStream,
    subjects: [`${ledgerStream.toLowerCase()}.>`],
    max_msgs_per_subject: 1,
  }
  return [events, ...effects, ledger]
}

/** Gives the server's reason when it refuses the stream for good. */
async function create(manager: JetStreamManager, wanted: Wanted): Promise<string | undefined> {
  try {
    await manager.streams.add(wanted)
    return undefined
  } catch (error) {
    const refusal = refusalOf(error)
    // While another process creates the same one, its subjects overlap with themselves on older servers.
    if (refusal !== undefined && !(await exists(manager, wanted.name))) return refusal
    throw natsError(error, `cannot create stream "${wanted.name}"`)
  }
}

async function exists(manager: JetStreamManager, stream: string): Promise<boolean> {
  try {
    await manager.streams.info(stream)
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw natsError(error, `cannot read stream "${stream}"`)
  }
}

/** Streams made by an older server do not take batches yet; publishing is then fenced one by one. */
async function allowBatches(
  manager: JetStreamManager,
  wanted: Wanted,
  actual: StreamConfig & BatchConfig,
): Promise<void> {
  const missing = (['allow_atomic', 'allow_batched'] as const).filter(
    key => wanted[key] === true && actual[key] !== true,
  )
  if (missing.length === 0) return
  const config: StreamConfig & BatchConfig = { ...actual, ...Object.fromEntries(missing.map(key => [key, true])) }
  // Without the right to change streams it stays as it is.
  await manager.streams.update(wanted.name, config).catch(() => undefined)
}

function compare(wanted: Wanted, actual: StreamConfig, minKeepMs: number): string[] {
  const differences: string[] = []
  const differs = (what: string, must: unknown, got: unknown): void => {
    differences.push(`stream "${wanted.name}" ${what} must be ${JSON.stringify(must)}, got ${JSON.stringify(got)}`)
  }
  if (wanted.subjects.some(subject => !actual.subjects?.includes(subject))) {
    differs('subjects', wanted.subjects, actual.subjects)
  }
  if (actual.retention !== wanted.retention) differs('retention', wanted.retention, actual.retention)
  if (actual.storage !== wanted.storage) differs('storage', wanted.storage, actual.storage)
  // Below 1 there is no bound. A subject of the events is a whole type of a partition; of what is published, consumers would miss the rest.
  if (wanted.max_msgs_per_subject === undefined && actual.max_msgs_per_subject > 0) {
    differs('max_msgs_per_subject', -1, actual.max_msgs_per_subject)
  }
  const dest = actual.subject_transform?.dest
  if (wanted.subject_transform !== undefined && dest !== undefined && dest !== wanted.subject_transform.dest) {
    differs('subject transform', wanted.subject_transform.dest, dest)
  }
  // 0 keeps for ever.
  if (actual.max_age > 0 && actual.max_age < minKeepMs * nanos) {
    differences.push(
      `stream "${wanted.name}" max_age must be at least ${minKeepMs / 3.6e6}h, got ${actual.max_age / 3.6e12}h: ` +
        'an outage longer than that loses events',
    )
  }
  return differences
}

/**
 * What to do when producer subjects are not mapped to partitions, or `undefined` when they are.
 *
 * Publishes probes and looks at the subject under which they arrive. A probe demands a stream that does not exist, so
 * JetStream does not store it, while plain subscribers see it.
 */
async function missingMapping(
  connection: NatsConnection,
  names: Names,
  partitions: number,
): Promise<string | undefined> {
  const version = connection.info?.version ?? '0'
  const transform = await transformOf(connection, names)
  // The stream maps by itself; a stream that is yet to be created will, where the server can.
  if (transform === names.eventMapping(partitions)) return undefined
  if (transform === 'no stream' && isAtLeast(version, '2.10')) return undefined
  const root = names.root('events')
  // So many that no two numbers of partitions up to the largest map all of them alike.
  const keys = Array.from({ length: 64 }, (_, i) => `millrace-probe-${i}`)
  const seen = new Map<string, string>()
  let refusal: Error | undefined
  const subscription = connection.subscribe(`${root}.*.millrace.probe`, {
    callback: (error, message) => {
      if (error === null) seen.set(message.string(), message.subject)
      else refusal = error
    },
  })
  const header = headers()
  header.set('Nats-Expected-Stream', 'none')
  for (const key of keys) connection.publish(`${root}.millrace.probe.${key}`, key, { headers: header })
  // The server answers in order: after two round trips every probe has come back.
  await connection.flush()
  await connection.flush()
  subscription.unsubscribe()
  if (refusal !== undefined) throw refusal
  if (keys.every(key => seen.get(key) === `${root}.${partitionOf(key, partitions)}.millrace.probe`)) return undefined
  return [
    `nats-server ${version} does not map "${names.eventSubjects()}" to ${partitions} partitions;`,
    'add to the account in its configuration, then reload it:',
    '  mappings = {',
    `    "${names.eventSubjects()}": "${names.eventMapping(partitions)}"`,
    '  }',
  ].join('\n')
}

async function transformOf(connection: NatsConnection, names: Names): Promise<string | undefined> {
  try {
    const manager = await connection.jetstreamManager({ timeout: 5_000, checkAPI: false })
    const { config } = await manager.streams.info(names.streams.events)
    return config.subject_transform?.dest
  } catch (error) {
    if (isNotFound(error)) return 'no stream'
    throw natsError(error, `cannot read stream "${names.streams.events}"`)
  }
}
