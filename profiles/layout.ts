/**
 * Which slot of the stored form belongs to what. The layout is stored once per definition, so that profiles written under an
 * older definition stay readable: what is still defined is taken over by name, kind and window, the rest is dropped.
 */
import { MillraceError, type StoredLayout } from '../engine/index.js'
import { fnv1a } from './hash.js'

export interface Slot {
  readonly name: string
  /** Kind of trait, `segment`, or one of the kinds of trigger. */
  readonly kind: string
  /** Milliseconds; only windowed traits have one. */
  readonly window?: number
}

export class Layout implements StoredLayout {
  readonly json: string
  readonly id: number

  constructor(readonly slots: readonly Slot[]) {
    this.json = JSON.stringify(slots.map(({ name, kind, window }) => ({ name, kind, window })))
    this.id = fnv1a(this.json)
  }

  static parse({ id, json }: StoredLayout): Layout {
    const layout = new Layout(JSON.parse(json) as Slot[])
    if (layout.id !== id)
      throw new MillraceError('profile_unreadable', `layout ${id} is damaged: its text hashes to ${layout.id}`)
    return layout
  }

  /** For each slot of this layout its index in `older`, or -1. */
  mapFrom(older: Layout): readonly number[] {
    const places = new Map(older.slots.map((slot, index) => [identity(slot), index]))
    return this.slots.map(slot => places.get(identity(slot)) ?? -1)
  }
}

function identity({ name, kind, window }: Slot): string {
  return JSON.stringify([name, kind, window])
}
