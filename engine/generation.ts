/**
 * A generation is a name space of a pipeline's state: profiles, timers, memory and outbox of its own. What generations publish goes
 * to the same streams, and positions mean the same in all of them.
 *
 * A new one is built from the stream beside the one before it: without effects, and never ahead of it. When a person seals the
 * one before, the new one folds up to where that stands, takes over what it has not published, and goes on from there.
 * So every event is decided by exactly one of them.
 */
import { MillraceError } from './errors.js'
import type { PartitionMeta, ProfileStore } from './store.js'

/** What a generation's names have behind the pipeline's. */
export function generationSuffix(generation: number): string {
  // Pipelines' names hold no "~"; NATS subjects and Redis' hash tags take it as a letter like any other.
  return generation === 1 ? '' : `~${generation}`
}

/** What the state of a pipeline is called outside of Redis. */
export function stateNameOf(pipeline: string, generation: number): string {
  return `${pipeline}${generationSuffix(generation)}`
}

/** The generation before, in one partition. */
export interface Before {
  readonly state: string
  /** `undefined` when the store does not hold it. */
  readonly meta: PartitionMeta | undefined
}

/** `undefined` for the first generation. */
export async function readBefore(
  store: ProfileStore,
  pipeline: string,
  generation: number,
  partition: number,
): Promise<Before | undefined> {
  if (generation === 1) return undefined
  const meta = await store.at(generation - 1).readMeta(partition)
  return { state: stateNameOf(pipeline, generation - 1), meta }
}

/** `meta` is that of a partition that is being built. Gives the one before. Throws `generation_mismatch`. */
export function requireFollows(
  meta: Pick<PartitionMeta, 'streamCreated' | 'sequenceOffset'>,
  before: PartitionMeta | undefined,
): PartitionMeta {
  if (before === undefined) throw mismatch('the generation before is gone')
  if (before.streamCreated !== meta.streamCreated || before.sequenceOffset !== meta.sequenceOffset) {
    throw mismatch('the generation before counts its positions in another stream, or differently')
  }
  return before
}

/** What was built so far is of no use. */
export function mismatch(why: string): MillraceError {
  return new MillraceError('generation_mismatch', `this generation cannot be built on: ${why}`)
}

/** Everything that the one before has decided is folded, so the one that was built can take over. */
export function isComplete(meta: PartitionMeta, before: PartitionMeta): boolean {
  return before.phase === 'sealed' && meta.position >= before.position && meta.now >= before.now
}
