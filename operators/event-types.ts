/** The option `types`, which several stages have. */
import { texts } from '../engine/index.js'

export const typesOption = {
  types: texts({ doc: 'Event types it applies to, all when not given; others pass untouched.', optional: true }),
}

/** True for event types the stage applies to. */
export function typeFilter(types: readonly string[] | undefined): (type: string) => boolean {
  if (types === undefined) return () => true
  const wanted = new Set(types)
  return type => wanted.has(type)
}
