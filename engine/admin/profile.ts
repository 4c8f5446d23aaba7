/** A profile as the admin port and `millrace profile get` show it. */
import { createHash } from 'node:crypto'
import type { ProfileView } from '../model.js'

export interface FoundProfile {
  readonly view: ProfileView
  /** The store did not answer; this is the last form that is known. */
  readonly isStale: boolean
}

export interface ShownTrait {
  readonly value: unknown
  /** ISO 8601; absent when no event has changed it yet. */
  readonly changedAt?: string
  readonly ageMs?: number
}

export interface ShownProfile {
  readonly key: string
  readonly updatedAt: string
  readonly ageMs: number
  readonly lastSeq: number
  readonly stale: boolean
  readonly traits: Readonly<Record<string, ShownTrait>>
  readonly segments: Readonly<Record<string, { readonly enteredAt: string; readonly ageMs: number }>>
}

/**
 * The body, and a tag that is equal exactly when all of it but the ages is. A weak one: two bodies under one tag differ in these.
 */
export function profileResponse({ view, isStale }: FoundProfile, nowMs: number): { etag: string; body: ShownProfile } {
  const age = (at: number) => Math.max(0, Math.round(nowMs - at))
  const traits = Object.entries(view.traits).map(([name, value]): [string, ShownTrait] => {
    const at = view.changedAt[name]
    return [name, at === undefined || at === 0 ? { value } : { value, changedAt: iso(at), ageMs: age(at) }]
  })
  const segments = Object.entries(view.segments).map(
    ([name, at]) => [name, { enteredAt: iso(at), ageMs: age(at) }] as const,
  )
  const body: ShownProfile = {
    key: view.key,
    updatedAt: iso(view.updatedAt),
    ageMs: age(view.updatedAt),
    lastSeq: view.lastSeq,
    stale: isStale,
    traits: Object.fromEntries(traits),
    segments: Object.fromEntries(segments),
  }
  // Over the values, not only the position: a window empties by time alone.
  const content = JSON.stringify([view, isStale])
  const hash = createHash('sha256').update(content).digest('base64url').slice(0, 22)
  return { etag: `W/"${hash}"`, body }
}

function iso(at: number): string {
  return new Date(at).toISOString()
}
