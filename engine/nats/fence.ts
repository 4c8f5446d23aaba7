/**
 * What a server can check about a publish, so that one that comes too late is refused:
 *
 * - `none`: nothing; only the duplicate window recognizes what was published before.
 * - `each`: that a certain message is the last of a filter (2.11 and later). One message is in flight at a time.
 * - `batch`: the same for an atomic batch, stored as a whole or not at all (2.12 and later, where the stream allows it).
 * - `fast_batch`: the same for the first message of a fast batch, of which each is stored only on top of the one before (2.14 and later,
 *   where the stream allows it).
 */
import { isAtLeast } from '../version.js'

export type Fence = 'none' | 'each' | 'batch' | 'fast_batch'

/** Weakest first. */
export const fences: readonly Fence[] = ['none', 'each', 'batch', 'fast_batch']

/** Of a stream. */
export interface FenceFacts {
  readonly takesAtomicBatches: boolean
  readonly takesFastBatches: boolean
  /** How long it remembers message ids. */
  readonly duplicateWindowMs: number
}

/** A server forgets an unfinished fast batch after so long without one of its messages. */
const batchIdleMs = 10_000
/** Of one fast batch. */
export const maxFastEntries = 58
/**
 * Until a batch is forgotten the server takes what is left of it from a former owner, too, and must still know the ids that the
 * next owner has published again: all the way from the first message to the last, each as late as it may be. Millrace's own streams
 * remember for as long.
 */
const minWindowMs = (maxFastEntries + 2) * batchIdleMs

/** What can be said of several lanes, or replicas, together. */
export function weakest(all: readonly Fence[]): Fence {
  return fences.find(fence => all.includes(fence)) ?? 'none'
}

export function fenceOf(version: string, stream: FenceFacts): Fence {
  const isRemembered = stream.duplicateWindowMs >= minWindowMs
  if (isAtLeast(version, '2.14') && stream.takesFastBatches && isRemembered) return 'fast_batch'
  if (isAtLeast(version, '2.12') && stream.takesAtomicBatches) return 'batch'
  return isAtLeast(version, '2.11') ? 'each' : 'none'
}
