/** Which profiles in memory say nothing but what is committed. */
import type { ProfileState } from '../model.js'
import type { Fold } from './fold.js'
import type { ProfileCache } from './profile-cache.js'

export class LastGood {
  /** What the fold in flight and the next one have changed. */
  readonly #uncommitted = new Set<ReadonlySet<ProfileState>>()
  #isDoubtful = false

  constructor(private readonly profiles: Pick<ProfileCache, 'peek'>) {}

  /** The fold is not committed yet. */
  hold(fold: Fold): Fold {
    this.#uncommitted.add(fold.changed)
    return fold
  }

  committed(fold: Fold): void {
    this.#uncommitted.delete(fold.changed)
  }

  /** A fold threw half way: nobody knows what it has changed. */
  doubt(): void {
    this.#isDoubtful = true
  }

  find(key: string): ProfileState | undefined {
    const state = this.profiles.peek(key)
    if (state === undefined || this.#isDoubtful) return undefined
    for (const changed of this.#uncommitted) if (changed.has(state)) return undefined
    return state
  }
}
