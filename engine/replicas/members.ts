/**
 * Who lives. Each replica stores a sign under its name and changes it with every look; whoever has seen a sign unchanged for a
 * whole lease counts its replica no more. The sign also says whether it is a good moment to give that replica something, and which
 * of its partitions it has halted, for people who ask.
 */
import { randomUUID } from 'node:crypto'
import { MillraceError } from '../errors.js'
import type { Log } from '../log.js'
import type { ProfileStore } from '../store.js'
import { ChangeWatch } from './change-watch.js'
import { incarnationIn, standingIn, writeSign, type Halts, type Standing } from './sign.js'

export interface MembersOptions {
  readonly replica: string
  readonly ttlMs: number
  /** When this process started, epoch milliseconds: of two processes of one name the later one stays. */
  readonly startedAt: number
  readonly store: Pick<ProfileStore, 'beat' | 'leave'>
  readonly log: Log
}

/** Signs of replicas that have been silent for so many leases are removed. */
const forgottenAfter = 20

export class Members {
  readonly #signs: ChangeWatch<string>
  readonly #incarnation: string
  #beats = 0
  #sign = ''

  constructor(private readonly options: MembersOptions) {
    this.#signs = new ChangeWatch(options.ttlMs / 2)
    this.#incarnation = `${Math.floor(options.startedAt)}-${randomUUID()}`
  }

  /** Shows a sign of life and gives who else has shown one within the lease. Throws `replica_name_taken`. */
  async look(standing: Standing, halts: Halts): Promise<ReadonlyMap<string, Standing>> {
    const { store, replica, ttlMs, log } = this.options
    const sign = writeSign({ incarnation: this.#incarnation, beats: ++this.#beats, standing, halts })
    const known = await store.beat(replica, sign)
    this.#sign = sign
    const now = performance.now()
    this.#signs.look(now)
    const living = new Map([[replica, standing]])
    for (const [name, seen] of known) {
      const stillMs = this.#signs.stillFor(name, seen, now)
      if (name === replica) this.#requireOwnName(seen)
      else if (stillMs < ttlMs) living.set(name, standingIn(seen))
      else if (stillMs > ttlMs * forgottenAfter) {
        log.info({ replica: name }, 'silent replica is forgotten')
        this.#signs.drop(name)
        await store.leave(name, seen)
      }
    }
    return living
  }

  /** A look failed: what was seen before proves nothing. */
  forget(): void {
    this.#signs.forget()
  }

  /** Is counted no more, from now on and without a lease's delay. No look may follow. */
  async leave(): Promise<void> {
    await this.options.store.leave(this.options.replica, this.#sign).catch(() => undefined) // then it is counted for a lease
  }

  /** Two processes of one name would take each other's partitions for ever. */
  #requireOwnName(seen: string): void {
    const incarnation = incarnationIn(seen)
    if (incarnation === this.#incarnation || incarnation < this.#incarnation) return
    const { replica } = this.options
    throw new MillraceError('replica_name_taken', `another process has the replica's name, "${replica}"`)
  }
}
