/**
 * The life of a partition in this process: attach, run, and what to do when that ends. The error's code decides: try again,
 * halt until it is resolved, or stop. While it is halted the state stays readable and everything is checked again now and
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

  /** Resolves when stopped or fenced; never rejects. */
  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted && this.#state !== 'fenced') {
      try {
        const { signal } = this.#aborting
        const attached = await attachPartition(this.context, this.number, this.#poisoned, signal)
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
    if (this.#state !== 'fenced') this.#enter('stopped', '')
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
      log.error({ partition, error }, 'partition was taken over')
    } else {
      if (this.#failures === 0)
        log.warn({ partition, error: messageOf(error), cause: error }, 'partition attaches again')
      if (this.#state !== 'halted') this.#enter('attaching', failure?.code ?? '')
      await this.#pause(retryMs[Math.min(this.#failures++, retryMs.length - 1)]!)
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
