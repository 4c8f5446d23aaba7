/**
 * Before a partition is processed: is the stream still the one this state was computed from, and is the state still the one
 * that was computed? Every "no" is a halt with a reason, unless a person has accepted exactly that loss.
 *
 * The stored facts come from Redis (meta), from the event stream, and from NATS' own record of the state (ledger), because
 * each of the three can be restored, flushed or recreated without the others.
 */
import { MillraceError } from '../errors.js'
import { mismatch, type Before } from '../generation.js'
import { ledgerStream, type Names } from '../nats/names.js'
import type { LedgerEntry, LedgerRecord, StreamFacts, Streams } from '../nats/streams.js'
import type { Without } from '../protections.js'
import type { MetaUpdate, PartitionMeta } from '../store.js'
import { acceptLoss, offsetOf, recordedOffset } from './accepted-loss.js'

export interface AttachContext {
  readonly streams: Pick<Streams, 'anchor' | 'settledFacts' | 'ledger' | 'record'>
  readonly names: Names
  /** What the state is called on NATS' side, see `stateNameOf`. */
  readonly state: string
  /** Absent for the first generation. */
  readonly before?: Before | undefined
  readonly partition: number
  /** How many there are. */
  readonly partitions: number
  /** Hash of the definition that is to run. */
  readonly definition: string
  /** Empty outside of tests. */
  readonly without: Without
}

export interface AttachPlan {
  /** What the first commit must change in the meta. */
  readonly update: MetaUpdate
  /** NATS' record that this was decided on. */
  readonly record: LedgerRecord
}

/**
 * `published` is the highest position that an effect was published for; it may still be on its way. Throws the halt that stands
 * in the way.
 */
export async function attach(
  context: AttachContext,
  meta: PartitionMeta,
  published: number | Promise<number>,
): Promise<AttachPlan> {
  const { streams, names, definition, partitions } = context
  const asked = streams.settledFacts(names.streams.events, endOf(meta))
  const { facts, record, publishedSeq, problem } = await inspect(context, meta, asked, published)
  const { entry: ledger } = record
  if (problem !== undefined && meta.accepted !== problem.code) throw problem

  const isFirst = meta.streamCreated === ''
  // Beside another generation that is in force, both would publish.
  const isAlone = context.before !== undefined && context.before.meta === undefined
  if (isFirst && isAlone && problem === undefined && publishedSeq >= 0)
    throw mismatch('there is no generation before it')
  const update = isFirst
    ? await startOf(context, facts, ledger, publishedSeq)
    : problem === undefined
      ? {}
      : acceptLoss(problem.code, meta, facts, ledger, publishedSeq)
  const position = update.position ?? meta.position
  const changes = Math.max(meta.definitionChanges, ledger?.definitionChanges ?? 0)
  const changed: MetaUpdate =
    meta.definition === definition
      ? changes === meta.definitionChanges
        ? {}
        : { definitionChanges: changes }
      : { definition, definitionFrom: isFirst ? 0 : position, definitionChanges: changes + 1 }
  const counted: MetaUpdate = meta.partitions === 0 ? { partitions } : {}
  return { update: { ...update, ...changed, ...counted, ...(meta.accepted === '' ? {} : { accepted: '' }) }, record }
}

/** What a partition was checked against, and the halt that a person would have to accept, if any. */
export interface Inspection {
  readonly facts: StreamFacts
  readonly record: LedgerRecord
  readonly publishedSeq: number
  readonly problem: MillraceError | undefined
}

/** What the event stream must hold, for `Streams.settledFacts`. */
export function endOf({ streamCreated, position, sequenceOffset }: PartitionMeta): { created: string; seq: number } {
  return { created: streamCreated, seq: position - sequenceOffset }
}

/** Reads only. `published` as for `attach`; throws the halt that nobody can accept. */
export async function inspect(
  context: AttachContext,
  meta: PartitionMeta,
  asked: StreamFacts | Promise<StreamFacts>,
  published: number | Promise<number>,
): Promise<Inspection> {
  // All at once, because the partition stands still meanwhile.
  const [facts, record, publishedSeq, beforeProblem, startProblem] = await Promise.all([
    asked,
    ledgerOf(context),
    published,
    checkBefore(context, meta),
    checkStart(context, meta, asked),
  ])
  if (meta.phase === 'dropped') throw mismatch('"rebuild drop" has begun to delete it and must be run again')
  const problem =
    checkState(context, meta, record.entry) ??
    beforeProblem ??
    checkDecided(context, meta, publishedSeq) ??
    startProblem ??
    checkOffset(meta, record.entry)
  return { facts, record, publishedSeq, problem }
}

function ledgerOf({ streams, names, state, partition }: AttachContext): Promise<LedgerRecord> {
  return streams.ledger(ledgerStream, names.ledgerSubject(state, partition))
}

/** A generation follows the one before it, and must not begin as if that had never been. */
async function checkBefore(context: AttachContext, meta: PartitionMeta): Promise<MillraceError | undefined> {
  const { before } = context
  if (before === undefined || before.meta !== undefined || meta.streamCreated !== '') return undefined
  const { entry } = await ledgerOf({ ...context, state: before.state })
  if (entry === undefined) return undefined
  const text = `Redis does not hold "${before.state}", which this generation follows and NATS has on record`
  return new MillraceError('state_lost', text)
}

/** A state that was never attached fits any stream. */
async function checkStart(
  context: AttachContext,
  meta: PartitionMeta,
  facts: StreamFacts | Promise<StreamFacts>,
): Promise<MillraceError | undefined> {
  return meta.streamCreated === '' ? undefined : checkStream(context, meta, facts)
}

/**
 * Records in NATS what was just committed in Redis. Must be done before the first event is read. Fails when somebody else has
 * recorded something since `record` was read.
 */
export async function recordState(context: AttachContext, meta: PartitionMeta, record: LedgerRecord): Promise<void> {
  const { streams, names, state, partition } = context
  const { stateId, definition, definitionFrom, definitionChanges, streamCreated, sequenceOffset } = meta
  const entry: LedgerEntry = {
    ...{ stateId, definition, definitionFrom, definitionChanges, streamCreated, sequenceOffset },
  }
  if (JSON.stringify(record.entry) === JSON.stringify(entry)) return
  await streams.record(names.ledgerSubject(state, partition), entry, record.streamSeq)
}

function checkState(
  { definition, without }: Pick<AttachContext, 'definition' | 'without'>,
  meta: PartitionMeta,
  ledger: LedgerEntry | undefined,
): MillraceError | undefined {
  if (ledger === undefined) return undefined
  if (ledger.stateId !== meta.stateId) {
    return new MillraceError(
      'state_lost',
      `Redis holds state "${meta.stateId}", NATS has state "${ledger.stateId}" on record: Redis was flushed or swapped`,
    )
  }
  if (isBehindChange(meta, ledger, definition) && !without.has('pinned_definition')) {
    return new MillraceError(
      'definition_rolled_back',
      `definition "${ledger.definition}" took effect at position ${ledger.definitionFrom}, Redis is back at ${meta.position}`,
    )
  }
  return undefined
}

/** Redis does not know of a change that NATS has on record, except for one that takes effect at this very position again. */
function isBehindChange(meta: PartitionMeta, ledger: LedgerEntry, definition: string): boolean {
  const missing = ledger.definitionChanges - meta.definitionChanges
  if (missing <= 0) return false
  return !(missing === 1 && ledger.definition === definition && ledger.definitionFrom === meta.position)
}

/**
 * A change of the definition takes effect behind everything decided before. Where the outputs say that more was decided than
 * Redis knows, the events in between would be decided again by other rules.
 */
function checkDecided(
  { definition, without }: Pick<AttachContext, 'definition' | 'without'>,
  meta: PartitionMeta,
  publishedSeq: number,
): MillraceError | undefined {
  const isChange = meta.streamCreated !== '' && meta.phase === '' && meta.definition !== definition
  if (!isChange || publishedSeq <= meta.position || without.has('pinned_definition')) return undefined
  return new MillraceError(
    'definition_rolled_back',
    `effects up to position ${publishedSeq} were published by definition "${meta.definition}", Redis is back at ${meta.position}`,
  )
}

/** Positions since an accepted loss count otherwise than those that Redis would go on with: new effects would pass for published. */
function checkOffset(meta: PartitionMeta, ledger: LedgerEntry | undefined): MillraceError | undefined {
  const recorded = recordedOffset(meta, ledger)
  if (recorded === undefined) return undefined
  return new MillraceError(
    'stream_truncated',
    `that the stream lost its end was accepted, NATS has offset ${recorded} on record, Redis is back before that at offset ${meta.sequenceOffset}`,
  )
}

/**
 * The first thing that does not fit, if any. Used at attach and whenever the reader makes a new consumer. The event at the
 * position is read while the facts are on their way.
 */
export async function checkStream(
  { streams, names, without }: Pick<AttachContext, 'streams' | 'names' | 'without'>,
  meta: Pick<PartitionMeta, 'position' | 'sequenceOffset' | 'streamCreated' | 'anchor'>,
  asked: StreamFacts | Promise<StreamFacts>,
): Promise<MillraceError | undefined> {
  const stream = names.streams.events
  const position = meta.position - meta.sequenceOffset
  const isAnchorChecked = !without.has('anchor_check')
  const anchorSeq = Number(meta.anchor.split(':')[0])
  const [facts, stored] = await Promise.all([
    asked,
    meta.anchor === '' || !isAnchorChecked ? undefined : streams.anchor(stream, anchorSeq),
  ])
  if (facts.created !== meta.streamCreated) {
    const text = `stream "${stream}" was created at ${facts.created}, this state was computed from one created at ${meta.streamCreated}`
    return new MillraceError('stream_recreated', text)
  }
  if (facts.lastSeq < position && isAnchorChecked) {
    const text = `stream "${stream}" ends at sequence ${facts.lastSeq}, ${position} was already processed`
    return new MillraceError('stream_truncated', text)
  }
  if (facts.firstSeq > position + 1) {
    const text = `stream "${stream}" starts at sequence ${facts.firstSeq}, the next to process is ${position + 1}`
    return new MillraceError('events_lost', text)
  }
  if (stored !== undefined && stored !== meta.anchor) {
    const text = `stream "${stream}" holds another event at sequence ${position}: "${stored}" instead of "${meta.anchor}"`
    return new MillraceError('anchor_mismatch', text)
  }
  return undefined
}

/** Where a state begins that knows nothing yet: at the first event that the stream holds. */
async function startOf(
  context: AttachContext,
  facts: StreamFacts,
  own: LedgerEntry | undefined,
  publishedSeq: number,
): Promise<MetaUpdate> {
  const { before } = context
  const start = facts.firstSeq - 1
  // Positions mean the same in all generations.
  const ledger = own ?? (before === undefined ? undefined : (await ledgerOf({ ...context, state: before.state })).entry)
  // Without a record of an earlier state, whatever was published came from this very stream.
  const offset = ledger === undefined ? 0 : offsetOf(facts, ledger, Math.max(start, publishedSeq))
  const position = start + offset
  return {
    position,
    lastSeq: position,
    streamCreated: facts.created,
    anchor: '',
    ...(offset === 0 ? {} : { sequenceOffset: offset }),
    ...(before?.meta === undefined ? {} : { phase: 'building' }),
  }
}
