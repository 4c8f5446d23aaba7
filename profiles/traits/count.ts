import { never, type TraitKind } from './kind.js'

/** How many events. */
export const count: TraitKind<number, unknown, number> = {
  name: 'count',
  growthBytes: 9,
  keepsInput: false,
  empty: () => 0,
  fold: state => state + 1,
  merge: (into, from) => into + from,
  read: state => state,
  nextChange: never,
}
