/**
 * The generation that one under construction follows: how far it has come, which is how far the follower may go. When it is
 * sealed the follower folds the rest, takes over what waits in its outbox, and is in force.
 */
import { isComplete, mismatch, requireFollows, type Before } from '../generation.js'
import type { MetaUpdate, PartitionMeta, ProfileStore } from '../store.js'
import { EffectCounts } from './effects.js'
import type { Fold } from './fold.js'

/** Often enough that a switch is not felt, seldom enough that nobody pays for it. */
export const lookMs = 250

/** Everything up to the seal is folded: the partition attaches again and takes over. */
export class BuildComplete extends Error {}

/** What was decided before: state and time move, and nobody hears of it. */
export function muted(fold: Fold): Fold {
  return { ...fold, entries: [], counts: new EffectCounts(), appliedBrokerMs: [], appliedOccurredAt: [] }
}

export class Forerunner {
  #lookedAt = -Infinity

  constructor(
    private meta: PartitionMeta,
    private readonly follower: PartitionMeta,
    private readonly read: () => Promise<PartitionMeta | undefined>,
  ) {}

  /** Nothing beyond it may be folded yet. */
  get position(): number {
    return this.meta.position
  }

  /** Its time: timers due until then have fired there. */
  get now(): number {
    return this.meta.now
  }

  get isSealed(): boolean {
    return this.meta.phase === 'sealed'
  }

  /**
   * Reads where it is at `now` (monotonic), if that was not done just before. True when something has changed. Throws
   * `generation_mismatch`.
   */
  async look(now = performance.now()): Promise<boolean> {
    if (now - this.#lookedAt < lookMs) return false
    this.#lookedAt = now
    const { position, isSealed } = this
    this.meta = requireFollows(this.follower, await this.read())
    return this.position !== position || this.isSealed !== isSealed
  }
}

/** What a partition that is being built writes when it attaches, and whom it follows if that is not over yet. */
export interface Succession {
  readonly update: MetaUpdate
  /** What the one before has committed and perhaps not published. */
  readonly outbox: readonly Buffer[]
  readonly forerunner: Forerunner | undefined
}

/** `meta` is that of the partition being built, `hasChanged` its definition. Throws `generation_mismatch`. */
export async function succeed(
  store: ProfileStore,
  generation: number,
  meta: PartitionMeta,
  { partition, before, hasChanged }: { partition: number; before: Before | undefined; hasChanged: boolean },
): Promise<Succession> {
  if (hasChanged) throw mismatch('its definition has changed since its first event')
  const previous = store.at(generation - 1)
  const followed = requireFollows(meta, before?.meta)
  if (!isComplete(meta, followed)) {
    const forerunner = new Forerunner(followed, meta, () => previous.readMeta(partition))
    return { update: {}, outbox: [], forerunner }
  }
  // From here on coordinates come after all that the one before has used, also for timers that fire before the next event.
  const { position, ordinal } = followed
  const update: MetaUpdate = { phase: '', lastSeq: position, ordinal }
  return { update, outbox: await previous.outbox(partition), forerunner: undefined }
}
