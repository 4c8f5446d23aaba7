import type { TraitKind } from './kind.js'

/** Whole units of `perMs` since the last event; `undefined` before the first. Time alone changes it at every unit. */
export function since(perMs: number): TraitKind<number | null, unknown, number | undefined> {
  const units = (at: number, now: number) => Math.max(0, Math.floor((now - at) / perMs))
  return {
    name: 'since',
    growthBytes: 9,
    keepsInput: false,
    empty: () => null,
    fold: (state, _input, { at }) => Math.max(state ?? at, at),
    merge: (into, from) => (into === null || from === null ? (into ?? from) : Math.max(into, from)),
    read: (at, now) => (at === null ? undefined : units(at, now)),
    nextChange: (at, now) => (at === null ? Infinity : at + (units(at, now) + 1) * perMs),
  }
}
