/**
 * One commit or renewal in flight per partition. A commit whose outcome is unknown (timeout, lost connection) is sent again, the very same
 * one, until there is an answer: the script knows its id, so it is written once whether or not the first try arrived.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError, messageOf } from '../errors.js'
import type { Commit, CommitOutcome, ProfileStore } from '../store.js'

export interface CommitObserver {
  /** Every attempt at a commit that is not known to be written. */
  commitFailed(error: Error): void
  /** The same of a renewal, or of giving the partition up. */
  renewalFailed(error: Error): void
  committed(durationMs: number): void
}

/** Another writer has moved the state: memory is stale, the partition attaches again. */
export class CommitConflict extends Error {}

/** What a commit writes; who and on top of what, the committer adds. */
export type Writes = Omit<Commit, 'token' | 'commitId' | 'previousPosition' | 'previousCommitId'>

export const noWrites: Omit<Writes, 'meta'> = {
  profiles: [],
  profileTtlMs: undefined,
  timers: [],
  memory: [],
  outbox: [],
  trim: 0,
}

/** Short to the end: whoever waits for Redis waits for this as well once it is back. */
const retryMs = [50, 100, 250, 500]

export class Committer {
  #count = 0
  /** Id of the last commit that is known to be written. */
  #lastId: string
  #position: number
  /** When the owner last proved to be the owner, monotonic milliseconds, taken before the proof was asked for. */
  #provenAt: number
  /** A renewal names the last commit, so the next commit waits for it. */
  #renewal: Promise<void> | undefined
  #isCommitting = false

  constructor(
    private readonly store: ProfileStore,
    private readonly partition: number,
    private readonly token: string,
    previous: { readonly commitId: string; readonly position: number },
    private readonly observer: CommitObserver,
  ) {
    this.#lastId = previous.commitId
    this.#position = previous.position
    this.#provenAt = performance.now()
  }

  /** Position that is stored. */
  get position(): number {
    return this.#position
  }

  /** Milliseconds since Redis last confirmed the token. */
  get leaseAgeMs(): number {
    return performance.now() - this.#provenAt
  }

  /** Throws `fenced`, `CommitConflict`, or the abort reason. */
  async commit(writes: Writes, signal: AbortSignal): Promise<void> {
    const { meta, profiles, profileTtlMs, timers, memory, outbox, trim } = writes
    const commit: Commit = {
      token: this.token,
      commitId: `${this.token}:${++this.#count}`,
      previousPosition: this.#position,
      previousCommitId: this.#lastId,
      meta,
      profiles,
      profileTtlMs,
      timers,
      memory,
      outbox,
      trim,
    }
    const startedAt = performance.now()
    this.#isCommitting = true
    try {
      if (this.#renewal !== undefined) await this.#renewal
      const failed = (error: Error): void => this.observer.commitFailed(error)
      await this.#until(signal, () => this.store.commit(this.partition, commit), failed)
    } finally {
      this.#isCommitting = false
    }
    this.#lastId = commit.commitId
    this.#position = meta.position ?? this.#position
    this.observer.committed(performance.now() - startedAt)
  }

  /** Proves the token and the last commit, unless a commit is about to. Throws `fenced`, `CommitConflict`, or the abort reason. */
  renew(signal: AbortSignal): Promise<void> {
    if (this.#isCommitting) return Promise.resolve()
    const renew = () => this.store.renew(this.partition, this.token, this.#lastId)
    const failed = (error: Error): void => this.observer.renewalFailed(error)
    this.#renewal ??= this.#until(signal, renew, failed).finally(() => {
      this.#renewal = undefined
    })
    return this.#renewal
  }

  /** Gives the partition up; nothing may be in flight. A failure costs the next owner a lease and nothing else. */
  async release(): Promise<void> {
    await this.store.release(this.partition, this.token).catch((error: unknown) => {
      this.observer.renewalFailed(errorOf(error))
    })
  }

  #requireOk(outcome: CommitOutcome): void {
    if (outcome === 'fenced') throw fenced(this.partition)
    if (outcome === 'conflict') {
      throw new CommitConflict(`partition ${this.partition} is not at position ${this.#position} any more`)
    }
  }

  /** Until there is an answer. Only a good one proves the lease. */
  async #until(
    signal: AbortSignal,
    attempt: () => Promise<CommitOutcome>,
    failed: (error: Error) => void,
  ): Promise<void> {
    for (let tries = 0; ; tries++) {
      signal.throwIfAborted()
      const askedAt = performance.now()
      const outcome = await attempt().catch((error: unknown) => {
        if (error instanceof MillraceError && error.action === 'stop') throw error
        failed(errorOf(error))
      })
      if (outcome !== undefined) {
        this.#requireOk(outcome)
        this.#provenAt = askedAt
        return
      }
      await delay(retryMs[Math.min(tries, retryMs.length - 1)], undefined, { signal })
    }
  }
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error(messageOf(error))
}

function fenced(partition: number): MillraceError {
  return new MillraceError('fenced', `partition ${partition} was taken over by another process`)
}
