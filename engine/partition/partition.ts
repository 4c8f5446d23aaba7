/**
 * The life of a partition in this process: wait for a claim, attach, run, and what to do when that ends. The error's code
 * decides: try again, halt until it is resolved, or stand by because another replica owns it. While it is halted the state
 * stays readable and everything is checked again now and then, so that it goes on by itself when the cause is gone or a person
 * has accepted the loss.
 */
import { randomUUID } from 'node:crypto'
import type { EngineContext } from '../context.js'
import { MillraceError, messageOf, type ErrorCode } from '../errors.js'
import type { Leasable } from '../replicas/leases.js'
import type { PartitionMeta } from '../store.js'
import { Wakeup } from '../wakeup.js'
import {
  acquirePartition,
  attachPartition,
  type Attached,
  type Attempt,
  type PartitionClaim,
} from './attach-partition.js'
import { CommitConflict } from './committer.js'
import { PoisonedEvent } from './fold.js'
import { BuildComplete } from './forerunner.js'
import { rehearse } from './rehearsal.js'
import { Session } from './session.js'
import { Caution } from './trial.js'

export type PartitionState = 'standby' | 'attaching' | 'running' | 'halted' | 'stopped'

export interface PartitionStatus {
  readonly partition: number
  /** `standby`: this replica does not own it. */
  readonly state: PartitionState
  /** Why it is halted or not running yet; empty when it runs. */
  readonly reason: ErrorCode | ''
  readonly position: number
  /** Events in the stream or in memory that are not folded. */
  readonly pending: number
  /** Of the pending ones those in memory. */
  readonly bufferedEvents: number
  readonly outboxEntries: number
  readonly isIdle: boolean
}

export interface PartitionObserver {
  /** It was given up: somebody may take it. */
  freed(): void
  /** What it had to catch up with after a claim is done. */
  settled(): void
}

const recheckHaltMs = 2_000
/**
 * After a halt a session has to last so long, and get on, before the partition runs again: an event or a timer that halted one halts
 * the next.
 */
const probationMs = 1_000
const retryMs = [100, 250, 500]
/** Whoever has something to give waits no longer for a partition that takes this long. */
const maxSettlingMs = 2_000
/** While there is nothing to do but wait for a claim. */
const maxWaitMs = 60_000

export class Partition implements Leasable {
  #state: PartitionState = 'standby'
  #reason: ErrorCode | '' = ''
  #claim: PartitionClaim | undefined
  #caution = new Caution(false)
  #session: Session | undefined
  #failures = 0
  #position = 0
  #isReleasing = false
  /** The claim's token is this replica's. */
  #isOwner = false
  /** Monotonic; in the past once it has settled. */
  #settlesBy = -Infinity
  readonly #wakeup = new Wakeup()
  readonly #stopping = new AbortController()
  readonly #aborting = new AbortController()
  /** Positions of events whose fold threw, with what was thrown; dead-lettered when they come again. */
  readonly #poisoned = new Map<number, string>()

  constructor(
    private readonly context: EngineContext,
    readonly number: number,
    private readonly observer: PartitionObserver,
  ) {}

  get status(): PartitionStatus {
    const session = this.#session
    return {
      partition: this.number,
      state: this.#state,
      reason: this.#reason,
      position: session?.position ?? this.#position,
      pending: session?.pending ?? 0,
      bufferedEvents: session?.bufferedEvents ?? 0,
      outboxEntries: session?.outboxEntries ?? 0,
      isIdle: session?.isIdle ?? false,
    }
  }

  get session(): Session | undefined {
    return this.#session
  }

  get isClaimed(): boolean {
    return this.#claim !== undefined
  }

  get isSettling(): boolean {
    return performance.now() < this.#settlesBy
  }

  get halt(): ErrorCode | '' {
    return this.#state === 'halted' ? this.#reason : ''
  }

  claim(expected: string): void {
    this.#claim = { expected, id: randomUUID() }
    // Whoever still owns it has not given it up: it died, or was cut off.
    this.#caution = new Caution(expected !== '')
    this.#settlesBy = performance.now() + maxSettlingMs
    this.#wakeup.wake()
  }

  /** Finishes what was taken and gives it up; `run` then waits for the next claim. */
  release(): void {
    if (this.#claim === undefined || this.#isReleasing) return
    this.#isReleasing = true
    this.#session?.stop()
    this.#wakeup.wake()
  }

  /** Gives it up as it is stored: what was taken and what is not published yet is left to the next owner. */
  abandon(): void {
    if (this.#claim === undefined) return
    this.#isReleasing = true
    this.#session?.abandon()
    this.#wakeup.wake()
  }

  async rehearse(): Promise<void> {
    try {
      await rehearse(this.context, this.number)
    } catch (error) {
      // It will come up again when it counts.
      this.context.log.info({ partition: this.number, error: messageOf(error) }, 'rehearsal was cut short')
    }
  }

  /** Resolves when stopped; never rejects. */
  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      if (this.#claim === undefined) await this.#wakeup.wait(maxWaitMs)
      else await this.#own(this.#claim)
    }
    this.#enter('stopped', '')
  }

  /** Finishes what was taken. */
  stop(): void {
    this.#stopping.abort()
    this.release()
    this.#wakeup.wake()
  }

  /** Gives up what `stop` is still waiting for; the state stays consistent, the rest is done after the next start. */
  abort(): void {
    this.stop()
    this.#aborting.abort()
  }

  /** From a claim to whatever ends it. */
  async #own(claim: PartitionClaim): Promise<void> {
    try {
      if (this.#state === 'standby') this.#enter('attaching', '')
      const found = await acquirePartition(this.context, this.number, claim)
      // From here on the claim is this token's.
      this.#claim = { expected: found.token, id: randomUUID() }
      this.#isOwner = true
      this.context.metrics.acquired(this.number)
      if (this.#isReleasing) return await this.#giveUp()
      await this.#runSession(found)
      this.#standBy('')
    } catch (error) {
      await this.#after(error)
    }
  }

  /** Returns when the partition was given up. */
  async #runSession(found: PartitionMeta): Promise<void> {
    const { signal } = this.#aborting
    const { log } = this.context
    const startedAt = performance.now()
    const attached = await attachPartition(this.context, found, this.#attempt, signal)
    const session = await this.#open(attached, signal)
    this.#session = session
    const tookMs = Math.round(performance.now() - startedAt)
    const begin = (): void => {
      this.#enter('running', '')
      log.info({ partition: this.number, position: session.position, took_ms: tookMs }, 'partition runs')
    }
    const from = session.position
    const prove = (): void => {
      if (session.isIdle || session.position > from) begin()
      else probation = setTimeout(prove, probationMs)
    }
    let probation: NodeJS.Timeout | undefined
    if (this.#state === 'halted') probation = setTimeout(prove, probationMs)
    else begin()
    try {
      if (session.pending === 0) this.#settle()
      if (this.#isReleasing) session.stop()
      await session.run()
      // Before the session is closed: somebody waits for the partition.
      this.observer.freed()
      log.info({ partition: this.number, position: session.position }, 'partition was given up')
    } finally {
      clearTimeout(probation)
      this.#position = session.position
      this.#session = undefined
      await session.close()
    }
  }

  /** What reads ahead already must not be left behind when a session cannot be made of what is stored. */
  async #open(attached: Attached, signal: AbortSignal): Promise<Session> {
    try {
      return new Session(this.context, attached, signal)
    } catch (error) {
      await attached.ahead?.reader.close()
      throw error
    }
  }

  /** Without a session: halted, or not attached yet. */
  async #giveUp(): Promise<void> {
    const { store } = this.context
    // Whoever seemed dead may live, and its token is not ours to release.
    if (this.#isOwner) await store.release(this.number, this.#claim!.expected).catch(() => undefined) // the next owner waits a lease instead
    this.#standBy('')
    this.observer.freed()
  }

  #standBy(reason: ErrorCode | ''): void {
    this.#claim = undefined
    this.#isOwner = false
    this.#isReleasing = false
    this.#enter('standby', reason)
  }

  async #after(error: unknown): Promise<void> {
    const { metrics, log } = this.context
    const partition = this.number
    if (this.#aborting.signal.aborted) return this.#standBy('')
    const failure = error instanceof MillraceError ? error : undefined
    if (error instanceof PoisonedEvent) {
      this.#poisoned.set(error.seq, error.message)
      log.warn({ partition, position: error.seq, error: error.cause }, 'event made the definition throw')
    } else if (error instanceof CommitConflict) {
      metrics.commitConflict()
      log.warn({ partition, error }, 'state was changed by somebody else, attaching again')
    } else if (failure?.code === 'fenced') {
      log.warn({ partition, error }, 'partition was taken over')
      this.#standBy('fenced')
    } else if (failure?.isHalt === true) {
      if (this.#reason !== failure.code) {
        metrics.halted(partition, failure.code)
        log.error({ partition, error }, 'partition is halted')
      }
      this.#enter('halted', failure.code)
      await this.#pause(Math.min(recheckHaltMs, this.context.limits.leaseMs / 3))
    } else if (!(error instanceof BuildComplete)) {
      if (this.#failures === 0)
        log.warn({ partition, error: messageOf(error), cause: error }, 'partition attaches again')
      if (this.#state !== 'halted') this.#enter('attaching', failure?.code ?? '')
      await this.#pause(retryMs[Math.min(this.#failures++, retryMs.length - 1)]!)
    }
    // Nobody waits for what does not run.
    if (this.#isReleasing && this.#claim !== undefined) await this.#giveUp()
  }

  #enter(state: PartitionState, reason: ErrorCode | ''): void {
    if (state === 'running') this.#failures = 0
    if (state === 'running') this.context.metrics.running(this.number)
    if (state === 'standby') this.context.metrics.released(this.number)
    this.#state = state
    this.#reason = reason
    if (state === 'standby' || state === 'halted') this.#settle()
  }

  get #attempt(): Attempt {
    return {
      partition: this.number,
      poisoned: this.#poisoned,
      caution: this.#caution,
      onCommit: () => this.#settle(),
    }
  }

  /** The first commit has taken in what had come while nobody owned the partition. */
  #settle(): void {
    if (!this.isSettling) return
    this.#settlesBy = -Infinity
    this.observer.settled()
  }

  /** A release or stop ends it. */
  async #pause(ms: number): Promise<void> {
    if (!this.#isReleasing) await this.#wakeup.wait(ms)
  }
}
