/** Brings the profiles that a fold will need into memory, all in one read. */
import type { EngineContext } from '../context.js'
import type { Event } from '../event.js'
import type { ProfileModel } from '../model.js'
import type { PartitionMemory } from './fold.js'

type LoadContext = Pick<EngineContext, 'store' | 'model' | 'limits'>

/**
 * Profiles of the events' keys, and of the timers due at or before `upTo`: of the earliest, as many as a commit takes. Throws
 * `profile_unreadable`.
 */
export async function loadProfiles(
  { store, model, limits }: LoadContext,
  partition: number,
  { profiles, timers }: PartitionMemory,
  events: readonly Event[],
  upTo: number,
): Promise<void> {
  const wanted = new Set<string>()
  timers.keysDue(upTo, limits.batchEvents, wanted)
  for (const key of wanted) if (profiles.get(key) !== undefined) wanted.delete(key)
  let asked = wanted.size
  for (const { key, type } of events) {
    if (key === '' || !model.hears(type)) continue
    asked++
    if (profiles.get(key) === undefined) wanted.add(key)
  }
  const missing = [...wanted]
  profiles.hits += asked - missing.length
  profiles.misses += missing.length
  if (missing.length === 0) return
  const stored = await store.load(partition, missing)
  if (stored.some(bytes => bytes !== undefined && !model.knowsLayout(model.layoutOf(bytes)))) {
    // Another replica runs a newer definition and has written its layout meanwhile.
    await learnLayouts(store, model)
  }
  missing.forEach((key, i) => {
    const bytes = stored[i]
    profiles.set(key, bytes === undefined ? model.create(key) : model.decode(key, bytes))
  })
}

export async function learnLayouts(store: LoadContext['store'], model: ProfileModel): Promise<void> {
  for (const layout of await store.layouts()) model.learnLayout(layout)
}
