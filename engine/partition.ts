/**
 * The life of a partition in this process: attach, run, and what to do when that ends. The error's code decides: try again,
 * halt until it is resolved, or stand by for another owner. While it is halted the state stays readable and everything is checked again now and
 * then, so that it goes on by itself when the cause is gone or a person has accepted the loss.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { attachPartition } from './attach-partition.js'
import { CommitConflict } from './committer.js'
import type { EngineContext } from './context.js'
import { MillraceError, messageOf, type ErrorCode } from './errors.js'
import { PoisonedEvent } from './fold.js'
import { Session } from './session.js'

export type PartitionState = 'attaching' | 'running' | 'halted' | 'fenced' | 'stopped'

export interface PartitionStatus {
  readonly partition: number
  readonly state: PartitionState
  /** Why it is halted or not running yet; empty when it runs. */
  readonly reason: ErrorCode | ''
  readonly position: number
  /** Events in the stream or in memory that are not folded. */
  readonly pending: number
  readonly outboxEntries: number
  readonly isIdle: boolean
}

/** Looks at another owner's renewals within one lease. */
const standByLooks = 5
const recheckHaltMs = 2_000
const retryMs = [100, 250, 500, 1_000, 2_000]

export class Partition {
  #state: PartitionState = 'attaching'
  #reason: ErrorCode | '' = ''
  #session: Session | undefined
  #failures = 0
  #position = 0
  readonly #stopping = new AbortController()
  readonly #aborting = new AbortController()
  /** Tokens this process has held. */
  readonly #ownTokens = new Set<string>()
  /** Positions of events whose fold threw, with what was thrown; dead-lettered when they come again. */
  readonly #poisoned = new Map<number, string>()

  constructor(
    private readonly context: EngineContext,
    readonly number: number,
  ) {}

  get status(): PartitionStatus {
    const session = this.#session
    return {
      partition: this.number,
      state: this.#state,
      reason: this.#reason,
      position: (this.#position = session?.position ?? this.#position),
      pending: session?.pending ?? 0,
      outboxEntries: session?.outboxEntries ?? 0,
      isIdle: session?.isIdle ?? false,
    }
  }

  get session(): Session | undefined {
    return this.#session
  }

  /** Resolves when stopped; never rejects. */
  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        const { signal } = this.#aborting
        const attached = await attachPartition(this.context, this.number, this.#poisoned, signal)
        this.#ownTokens.add(attached.meta.token)
        this.#session = new Session(this.context, attached, signal)
        this.#enter('running', '')
        this.context.metrics.running(this.number)
        if (this.#stopping.signal.aborted) this.#session.stop()
        await this.#session.run()
      } catch (error) {
        await this.#after(error)
      } finally {
        await this.#session?.close()
        this.#session = undefined
      }
    }
    this.#enter('stopped', '')
  }

  /** Finishes what was taken. */
  stop(): void {
    this.#stopping.abort()
    this.#session?.stop()
  }

  /** Gives up what `stop` is still waiting for; the state stays consistent, the rest is done after the next start. */
  abort(): void {
    this.stop()
    this.#aborting.abort()
  }

  async #after(error: unknown): Promise<void> {
    const { metrics, log } = this.context
    const partition = this.number
    if (this.#aborting.signal.aborted) return
    if (error instanceof PoisonedEvent) {
      this.#poisoned.set(error.seq, error.message)
      log.warn({ partition, position: error.seq, error: error.cause }, 'event made the definition throw')
      return
    }
    if (error instanceof CommitConflict) {
      metrics.commitConflict()
      log.warn({ partition, error }, 'state was changed by somebody else, attaching again')
      return
    }
    const failure = error instanceof MillraceError ? error : undefined
    if (failure?.isHalt === true) {
      if (this.#reason !== failure.code) {
        metrics.halted(partition, failure.code)
        log.error({ partition, error }, 'partition is halted')
      }
      this.#enter('halted', failure.code)
      await this.#pause(recheckHaltMs)
    } else if (failure?.code === 'fenced') {
      this.#enter('fenced', 'fenced')
      log.warn({ partition, error }, 'partition was taken over')
      await this.#standBy()
    } else {
      if (this.#failures === 0)
        log.warn({ partition, error: messageOf(error), cause: error }, 'partition attaches again')
      if (this.#state !== 'halted') this.#enter('attaching', failure?.code ?? '')
      await this.#pause(retryMs[Math.min(this.#failures++, retryMs.length - 1)]!)
    }
  }

  /**
   * Waits until nobody shows to own the partition: the owner's renewals stand still for the whole lease on this process' own
   * clock, with the store answering throughout. A token that this process held before is nobody's: the store was brought
   * back to an older copy.
   */
  async #standBy(): Promise<void> {
    const { store, limits } = this.context
    let renewals = -1
    let unchangedSince = performance.now()
    while (!this.#stopping.signal.aborted) {
      const meta = await store.readMeta(this.number).catch(() => undefined)
      if (meta !== undefined && this.#ownTokens.has(meta.token)) return
      if (meta === undefined || meta.renewals !== renewals) {
        renewals = meta?.renewals ?? -1
        unchangedSince = performance.now()
      } else if (performance.now() - unchangedSince >= limits.leaseMs) return
      await this.#pause(limits.leaseMs / standByLooks)
    }
  }

  #enter(state: PartitionState, reason: ErrorCode | ''): void {
    if (state === 'running') this.#failures = 0
    this.#state = state
    this.#reason = reason
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined) // a stop ends the pause
  }
}
