/**
 * What a server can check about a publish, so that one that comes too late is refused:
 *
 * - `none`: nothing; only the duplicate window recognizes what was published before.
 * - `each`: that a certain message is the last of a filter (2.11 and later). One message is in flight at a time.
 * - `batch`: the same for a batch that is stored as a whole or not at all (2.12 and later, where the stream allows it).
 */
import { isAtLeast } from '../version.js'

export type Fence = 'none' | 'each' | 'batch'

/** Weakest first. */
export const fences: readonly Fence[] = ['none', 'each', 'batch']

/** What can be said of several lanes, or replicas, together. */
export function weakest(all: readonly Fence[]): Fence {
  return fences.find(fence => all.includes(fence)) ?? 'none'
}

export function fenceOf(version: string, takesBatches: boolean): Fence {
  if (isAtLeast(version, '2.12') && takesBatches) return 'batch'
  return isAtLeast(version, '2.11') ? 'each' : 'none'
}
