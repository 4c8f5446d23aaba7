import { keepable } from './input.js'
import { never, type TraitKind } from './kind.js'
import { compareSightings, type Sighting } from './sighting.js'

/** The `limit` values that happened last, latest first; a value seen twice is listed twice. */
export function recent(limit: number): TraitKind<Sighting[], unknown, unknown[]> {
  const insert = (state: Sighting[], sighting: Sighting) => {
    let place = 0
    while (place < state.length && compareSightings(state[place]!, sighting) > 0) place++
    if (place < limit) state.splice(place, 0, sighting)
    // More than one too many when the definition has lowered the limit since the state was stored.
    if (state.length > limit) state.length = limit
    return state
  }
  return {
    name: 'recent',
    growthBytes: 23,
    keepsInput: true,
    empty: () => [],
    fold: (state, input, { at, seq }) => insert(state, [at, seq, keepable(input)]),
    merge: (into, from) => from.reduce(insert, into),
    read: state => state.slice(0, limit).map(sighting => sighting[2]),
    nextChange: never,
  }
}
