/**
 * The store as the protocol needs it, for one partition: the rules of the commit script in a page, a replica that lags, and a
 * commit that breaks off halfway.
 */
import { allRules, type WithoutRules } from './rules.js'

export interface StoreState<Fields, Profile, Entry> {
  readonly token: string
  readonly replica: string
  readonly epoch: number
  readonly renewals: number
  readonly commitId: string
  readonly position: number
  readonly fields: Fields
  readonly profiles: ReadonlyMap<string, Profile>
  readonly outbox: readonly Entry[]
}

export interface ModelCommit<Fields, Profile, Entry> {
  readonly token: string
  readonly commitId: string
  readonly previousPosition: number
  readonly previousCommitId: string
  readonly position: number
  readonly fields: Partial<Fields>
  /** `undefined` deletes. */
  readonly profiles: readonly (readonly [key: string, profile: Profile | undefined])[]
  readonly outbox: readonly Entry[]
  readonly trim: number
}

export interface ModelClaim {
  readonly replica: string
  readonly id: string
  readonly expected: string
}

export type Outcome = 'ok' | 'fenced' | 'conflict'

export class ModelStore<Fields, Profile, Entry> {
  #state: StoreState<Fields, Profile, Entry>
  /** Every state since the last failover, oldest first. */
  #history: StoreState<Fields, Profile, Entry>[]
  /** Index in the history up to which the replica has it. */
  #replicated = 0

  constructor(
    fields: Fields,
    private readonly without: WithoutRules = allRules,
  ) {
    this.#state = {
      token: '',
      replica: '',
      epoch: 0,
      renewals: 0,
      commitId: '',
      position: 0,
      fields,
      profiles: new Map(),
      outbox: [],
    }
    this.#history = [this.#state]
  }

  get state(): StoreState<Fields, Profile, Entry> {
    return this.#state
  }

  /** `undefined` when the token is not the expected one; what is stored when this very claim was granted before. */
  acquire({ replica, id, expected }: ModelClaim): StoreState<Fields, Profile, Entry> | undefined {
    const { token, epoch } = this.#state
    if (token.endsWith(`:${id}`)) return this.#state
    if (token !== expected) return undefined
    this.#write({ token: `${epoch + 1}:${id}`, replica, epoch: epoch + 1 })
    return this.#state
  }

  renew(token: string, commitId: string): Outcome {
    if (!this.#isOwner(token)) return 'fenced'
    if (this.#state.commitId !== commitId && !this.without.has('compare_and_set')) return 'conflict'
    this.#write({})
    return 'ok'
  }

  release(token: string): 'ok' | 'fenced' {
    if (this.#state.token !== token) return 'fenced'
    this.#write({ token: '', replica: '' })
    return 'ok'
  }

  /**
   * `breakAfter` counts writes: an entry, a profile, the meta, the trim. A script that breaks is isolated, but what it has
   * written stays.
   */
  commit(commit: ModelCommit<Fields, Profile, Entry>, breakAfter = Infinity): Outcome | 'broken' {
    if (!this.#isOwner(commit.token)) return 'fenced'
    const { commitId, position, outbox, profiles, fields } = this.#state
    if (commitId === commit.commitId) return 'ok'
    const isNext = commitId === commit.previousCommitId && position === commit.previousPosition
    if (!isNext && !this.without.has('compare_and_set')) return 'conflict'

    let left = breakAfter
    const entries = commit.outbox.slice(0, left)
    const changed = commit.profiles.slice(0, Math.max(0, (left -= commit.outbox.length)))
    const isWhole = (left -= commit.profiles.length) > 0
    const written = new Map(profiles)
    for (const [key, profile] of changed) {
      if (profile === undefined) written.delete(key)
      else written.set(key, profile)
    }
    const trims = isWhole || (breakAfter > 0 && this.without.has('trim_last'))
    this.#write({
      profiles: written,
      outbox: [...outbox, ...entries].slice(trims ? commit.trim : 0),
      ...(isWhole
        ? { commitId: commit.commitId, position: commit.position, fields: { ...fields, ...commit.fields } }
        : {}),
    })
    return isWhole ? 'ok' : 'broken'
  }

  /** The replica catches up by as many writes. */
  replicate(writes: number): void {
    this.#replicated = Math.min(this.#history.length - 1, this.#replicated + writes)
  }

  /** The replica takes over; at most `maxLost` writes that it did not have are gone. */
  failOver(maxLost: number): void {
    const kept = Math.max(this.#replicated, this.#history.length - 1 - maxLost)
    this.#state = this.#history[kept]!
    this.#history = [this.#state]
    this.#replicated = 0
  }

  #isOwner(token: string): boolean {
    return token === this.#state.token || this.without.has('token')
  }

  #write(change: Partial<StoreState<Fields, Profile, Entry>>): void {
    const isRenewal = change.position !== undefined || change.token !== undefined || Object.keys(change).length === 0
    const renewals = this.#state.renewals + (isRenewal ? 1 : 0)
    this.#state = { ...this.#state, ...change, renewals }
    this.#history.push(this.#state)
  }
}
