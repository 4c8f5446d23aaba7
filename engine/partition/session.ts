/**
 * One attached life of a partition: from taking ownership to a stop or to the first thing that makes its memory doubtful.
 *
 * The loop: take what has arrived, run the stages, load missing profiles, fold; then wait for the previous commit and send
 * this one. So the next batch is prepared while the previous one is written, and at most one commit is in flight. After a
 * commit its effects go to the outbox, which publishes on its own.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { EngineContext } from '../context.js'
import { MillraceError } from '../errors.js'
import type { Batch } from '../nats/arrivals.js'
import { lanes } from '../nats/names.js'
import type { Reader } from '../nats/reader.js'
import { Outbox } from '../outbox/outbox.js'
import { openSenders } from '../outbox/senders.js'
import { Wakeup } from '../wakeup.js'
import type { Attached } from './attach-partition.js'
import { noWrites, type Committer, type Writes } from './committer.js'
import { writesOf } from './fold-writes.js'
import { Folder, PoisonedEvent, type Fold, type PartitionMemory } from './fold.js'
import { BuildComplete, lookMs, muted, type Forerunner } from './forerunner.js'
import { LastGood } from './last-good.js'
import { loadProfiles } from './profile-loading.js'
import { recordFold, sessionObserver } from './session-metrics.js'
import { openReader, verifyStream } from './session-reader.js'
import { StagedBatch } from './staged-batch.js'
import { Trials } from './trials.js'
import { wallSlackMs, wallSlackOf } from './wall-slack.js'

/** The lease is renewed at a third of it; looks at its age within that time. */
const looksPerRenewal = 3
/** A partition that has had no event for this long moves its position along with the stream. */
const idleMs = 5_000
/** How long a session that ends waits for what it has published; whoever is next finds out by itself what came of it. */
const publishedWithinMs = 1_000

export class Session {
  readonly lastGood: LastGood
  readonly #memory: PartitionMemory
  readonly #committer: Committer
  readonly #folder: Folder
  readonly #outbox: Outbox
  readonly #reader: Reader
  readonly #trials: Trials
  readonly #wakeup = new Wakeup()
  #staged: StagedBatch | undefined
  /** Events of the staged batch that are not folded. */
  #unfolded = 0
  #inFlight: Promise<void> | undefined
  #failure: unknown
  #isStopping = false
  /** Everything is left as it is stored; ends what a stage waits for, as the end of the session does. */
  readonly #leaving = new AbortController()
  readonly #stageSignal: AbortSignal
  /** The loop may wait long for a stage; the lease must not. */
  readonly #keeper: NodeJS.Timeout
  #lastMoveAt = performance.now()
  /** Where the event stream ended when it was last looked at. */
  #streamEnd = 0
  #wallSlackMs = wallSlackMs

  constructor(
    private readonly context: EngineContext,
    private readonly attached: Attached,
    private readonly signal: AbortSignal,
  ) {
    const { limits, pipeline, model } = context
    const { partition, committer, memory, floors, unpublished, caution } = attached
    this.#memory = memory
    this.lastGood = new LastGood(memory.profiles)
    this.#stageSignal = AbortSignal.any([signal, this.#leaving.signal])
    this.#committer = committer
    this.#folder = new Folder(
      {
        model,
        partition,
        partitions: pipeline.partitions,
        maxAheadMs: pipeline.maxAheadMs,
        maxProfiles: limits.batchEvents,
        maxBytes: limits.batchBytes,
      },
      memory,
    )
    this.#outbox = new Outbox({
      maxEntries: limits.outboxEntries,
      maxBytes: limits.outboxBytes,
      open: events => openSenders(context, partition, floors, () => this.#maySend(), events),
      wake: () => this.#wakeup.wake(),
      onBroken: error => this.#fail(error),
      ...sessionObserver(context, partition),
    })
    this.#outbox.restore(unpublished, entry => floors.isSettled(entry.lane, entry))
    this.#trials = new Trials(caution, committer, () => this.#settle(), signal)
    this.#reader = openReader(context, attached, () => this.#wakeup.wake())
    this.#keeper = setInterval(() => this.#keepLease(), limits.leaseMs / 3 / looksPerRenewal)
  }

  get position(): number {
    return this.#committer.position
  }

  get pending(): number {
    return this.#reader.pending + this.#reader.buffered
  }

  /** Received and not taken yet. */
  get bufferedEvents(): number {
    return this.#reader.buffered
  }

  get outboxEntries(): number {
    return this.#outbox.entries
  }

  /** True when nothing is left to do but wait. */
  get isIdle(): boolean {
    if (this.pending > 0 || this.#inFlight !== undefined || this.#staged !== undefined) return false
    const isDue = this.#memory.timers.nextDueAt + this.#wallSlackMs <= this.context.clock.wallMs()
    // A generation that is being built does not fire timers by the wall clock.
    return this.#outbox.isEmpty && (!isDue || this.attached.forerunner !== undefined)
  }

  /** Stop reading, finish what was taken, publish what was decided, give the partition up. `run` returns when that is done. */
  stop(): void {
    this.#isStopping = true
    this.#wakeup.wake()
  }

  /**
   * As `stop`, but what is not folded and what is not published is left to the next owner, who finds it where it is stored. Where
   * publishing is not fenced that owner could not tell what of it is out, so there it waits until all is.
   */
  abandon(): void {
    const { floors, partition } = this.attached
    const isFenced = lanes.every(lane => floors.of(lane).fence !== 'none')
    if (isFenced || this.#outbox.isEmpty) {
      this.#leaving.abort(new MillraceError('nats_unavailable', `partition ${partition} is left to others`))
    }
    this.stop()
  }

  /** The connection to NATS is back. */
  reconnected(): void {
    this.#reader.restart('reconnect')
    this.#outbox.send()
  }

  /** Runs until stopped. Throws what ended it; memory is then doubtful and `close` must be called. */
  async run(): Promise<void> {
    const { streams, names } = this.context
    this.#wallSlackMs = wallSlackOf(await streams.facts(names.streams.events))
    for (;;) {
      this.#throwFailure()
      if (this.#leaving.signal.aborted) break
      if (this.#isStopping && (this.#staged === undefined || this.#staged.isDone)) break
      if (!(await this.#step())) await this.#wakeup.wait(this.#idleFor())
    }
    await this.#settle()
    while (!this.#outbox.isEmpty && !this.#leaving.signal.aborted) {
      this.#throwFailure()
      await this.#wakeup.wait(100)
      this.signal.throwIfAborted()
    }
    await this.#trim()
    clearInterval(this.#keeper)
    await this.#committer.release()
  }

  async close(): Promise<void> {
    clearInterval(this.#keeper)
    const published = this.#outbox.close()
    await this.#trials.abandon()
    await this.#reader.close()
    await this.#inFlight
    // The next session would otherwise not know of what is still on its way.
    await Promise.race([published, delay(publishedWithinMs)])
  }

  /** One piece of work; false when there is none. */
  async #step(): Promise<boolean> {
    if (this.#outbox.isFull || this.#trials.isBackingOff) return false
    if (this.#staged === undefined) {
      const { batchEvents, batchBytes } = this.context.limits
      const maxEvents = Math.min(batchEvents, this.attached.caution.size)
      const upTo = this.attached.forerunner?.position
      const batch = this.#isStopping ? undefined : this.#reader.take(maxEvents, batchBytes, upTo)
      if (batch === undefined || batch.events.length === 0) return this.#idle()
      this.#staged = await this.#stage(batch)
      this.#unfolded = batch.events.length
    } else await this.#trials.begin(this.#memory.position, this.#unfolded)
    const fold = this.#withoutPublished(await this.#fold(this.#staged))
    this.#unfolded -= fold.received
    if (this.#staged.isDone) this.#staged = undefined
    await this.#send(fold)
    await this.#trials.end(fold.received)
    return true
  }

  async #stage(batch: Batch): Promise<StagedBatch> {
    const { events } = batch
    const { caution, hashes } = this.attached
    // An event that is tried alone must not answer for the timers that fire before it.
    if (caution.size === 1) await this.#fireUntil(Math.max(this.#memory.now, events[0]!.receivedAt))
    const run = () => this.context.chain.run(events, hashes, this.#stageSignal)
    return new StagedBatch(batch, await this.#trials.stage(this.#memory.position, events, run))
  }

  async #fireUntil(upTo: number): Promise<void> {
    const { timers } = this.#memory
    do {
      if (timers.isShortOf(upTo)) await this.#cover(upTo)
      if (timers.nextDueAt <= upTo) await this.#fireTimers(upTo)
    } while (!timers.covers(upTo) || timers.nextDueAt <= upTo)
    await this.#settle()
  }

  async #cover(upTo: number): Promise<void> {
    await this.#settle()
    await this.#memory.timers.cover(upTo)
  }

  async #fold(staged: StagedBatch): Promise<Fold> {
    const upTo = Math.max(this.#memory.now, staged.last.receivedAt)
    if (this.#memory.timers.isShortOf(upTo)) await this.#cover(upTo)
    await loadProfiles(this.context, this.attached.partition, this.#memory, staged.remaining(), upTo)
    const startedAt = performance.now()
    try {
      const fold = this.lastGood.hold(this.#folder.fold(staged))
      this.context.metrics.foldDuration.observe(performance.now() - startedAt)
      return fold
    } catch (error) {
      this.lastGood.doubt()
      // The commit in flight is of earlier events: it must count before memory is dropped.
      if (error instanceof PoisonedEvent) await this.#settle()
      throw error
    }
  }

  /** What time alone brings when no event has arrived. */
  async #idle(): Promise<boolean> {
    if (this.attached.forerunner !== undefined) return this.#follow(this.attached.forerunner)
    const { timers } = this.#memory
    const wall = this.context.clock.wallMs()
    if (timers.isShortOf(wall)) await this.#cover(Math.ceil(wall))
    const isDue = timers.nextDueAt + this.#wallSlackMs <= wall
    const isStale = performance.now() - this.#lastMoveAt > idleMs
    if (isDue || isStale) {
      await this.#settle()
      if (!(await this.#reader.isCaughtUp())) return false
      if (isStale) await this.#moveOn()
      if (isDue) return this.#fireTimers(wall - this.#wallSlackMs)
      this.attached.caution.caughtUp()
    }
    if (isStale) await this.#trim()
    return false
  }

  /** In a generation that is being built: keeps up with the one before it, and is done when that is sealed. */
  async #follow(forerunner: Forerunner): Promise<boolean> {
    await this.#settle()
    if (await forerunner.look()) return true
    const { position, now, isSealed } = forerunner
    if (!isSealed && position <= this.#memory.position) return false
    if (!(await this.#reader.isCompleteTo(position))) return false
    // A leader that has lost its place may say so without all that the one before has folded already: who shows that is asked again.
    const streamSeq = position - this.attached.meta.sequenceOffset
    await verifyStream(this.context, this.attached.meta, { streamSeq, anchor: '' }, performance.now())
    if (!(await this.#reader.isCompleteTo(position))) return false
    if (!isSealed) return this.#moveTo(position)
    // Timers that are due by then have fired over there, some by the wall clock.
    await this.#fireUntil(now)
    await this.#moveTo(position, now)
    throw new BuildComplete(`everything up to position ${position} is folded`)
  }

  /** A process that was stopped and woke up late must not publish. */
  #maySend(): boolean {
    const { limits, without } = this.context
    return this.#committer.leaseAgeMs < limits.leaseMs / 2 || without.has('publish_fence')
  }

  /** What may be sent again waits for a young lease. */
  #keepLease(): void {
    if (this.#committer.leaseAgeMs < this.context.limits.leaseMs / 3) return
    this.#committer.renew(this.signal).then(
      () => this.#outbox.send(),
      (error: unknown) => this.#fail(error),
    )
  }

  /** Seen by the loop, wherever it came from. */
  #fail(error: unknown): void {
    this.#failure ??= error
    this.#wakeup.wake()
  }

  async #fireTimers(upTo: number): Promise<boolean> {
    await this.#trials.begin(this.#memory.position, 0)
    await loadProfiles(this.context, this.attached.partition, this.#memory, [], upTo)
    await this.#send(this.#withoutPublished(this.lastGood.hold(this.#folder.fireUntil(upTo))))
    await this.#trials.end(0)
    return true
  }

  /** After a rollback of Redis the broker already has what is at or below the floor. */
  #withoutPublished(fold: Fold): Fold {
    if (this.attached.forerunner !== undefined) return muted(fold)
    const { floors } = this.attached
    const entries = fold.entries.filter(entry => !floors.isPublished(entry.lane, entry))
    return entries.length === fold.entries.length ? fold : { ...fold, entries }
  }

  /**
   * Other partitions' events have moved the stream on; without this, retention would look like loss. The position moves to
   * where the stream ended an idle time ago: what was stored since may not have been offered to the consumer yet.
   */
  async #moveOn(): Promise<void> {
    const streamSeq = this.#streamEnd
    // A stream that was replaced or emptied under an idle reader looks like one that has nothing new.
    const { meta } = this.attached
    const after = { streamSeq: this.#memory.position - meta.sequenceOffset, anchor: '' }
    const facts = await verifyStream(this.context, meta, after, performance.now())
    this.#streamEnd = facts.lastSeq
    this.#wallSlackMs = wallSlackOf(facts)
    this.#lastMoveAt = performance.now()
    await this.#moveTo(Math.min(streamSeq, facts.lastSeq) + this.attached.meta.sequenceOffset)
  }

  /** Nothing of this partition is left up to there, in the stream and in time. */
  async #moveTo(to: number, until = 0): Promise<false> {
    const { context, attached } = this
    const memory = this.#memory
    const position = Math.max(to, memory.position)
    const now = Math.max(until, memory.now)
    if (position === memory.position && now === memory.now) return false
    const streamSeq = position - attached.meta.sequenceOffset
    const anchor = (await context.streams.anchor(context.names.streams.events, streamSeq)) ?? ''
    memory.position = position
    memory.now = now
    this.#reader.advanceTo(streamSeq, anchor)
    // What `now` lets leave its window leaves the store with it.
    const hashes = attached.hashes.flatMap(stage => stage?.drain(position, now) ?? [])
    const moved = { ...noWrites, meta: { position, now, anchor }, memory: hashes }
    await this.#committer.commit(moved, this.signal)
    return false
  }

  /** Encodes now, because the next fold will change the profiles; writes when the previous commit is done. */
  async #send(fold: Fold): Promise<void> {
    const { meta, profiles, profileTtlMs, timers, memory, outbox } = writesOf(this.context, this.attached, fold)
    await this.#settle()
    this.#memory.profiles.trim()
    if (fold.received > 0) this.#lastMoveAt = performance.now()
    const trim = this.#outbox.trimmable
    const closing = this.#trials.closing(meta)
    this.#outbox.expect(fold.entries)
    this.#inFlight = this.#write({ meta: closing, profiles, profileTtlMs, timers, memory, outbox, trim }, fold)
  }

  /** Never rejects. */
  async #write(writes: Writes, fold: Fold): Promise<void> {
    try {
      await this.#committer.commit(writes, this.signal)
      this.lastGood.committed(fold)
      this.#outbox.trimmed(writes.trim)
      this.#outbox.add(fold.entries)
      recordFold(this.context, this.attached.partition, fold, this.#memory.profiles)
    } catch (error) {
      this.#failure ??= error
    }
    this.#inFlight = undefined
    this.#wakeup.wake()
  }

  /** What is published leaves the store by a commit, because only a commit may be sent twice. */
  async #trim(): Promise<void> {
    await this.#settle()
    const trim = this.#outbox.trimmable
    if (trim === 0) return
    await this.#committer.commit({ ...noWrites, meta: {}, trim }, this.signal)
    this.#outbox.trimmed(trim)
  }

  async #settle(): Promise<void> {
    await this.#inFlight
    this.#throwFailure()
  }

  #throwFailure(): void {
    const failure = this.#failure ?? this.#reader.failure
    if (failure !== undefined) throw failure
  }

  #idleFor(): number {
    if (this.#isStopping || this.#outbox.isFull) return 100
    if (this.attached.forerunner !== undefined) return lookMs
    const untilDue = this.#memory.timers.nextDueAt + this.#wallSlackMs - this.context.clock.wallMs()
    return Math.min(Math.max(untilDue, 5), 1_000)
  }
}
