/**
 * The stored form: a MessagePack array `[layout id, lastSeq, updatedAt, dueAt, ages, ...slots]`. `dueAt` is 0 when there is
 * none. `ages` says for each trait how long before `updatedAt` it last changed, in milliseconds, or -1: small numbers, one byte
 * for what the latest event touched. Equal states give equal bytes, because slots are canonical and positional.
 */
import { Packr } from 'msgpackr'
import { MillraceError, type StoredLayout } from '../engine/index.js'
import { Layout } from './layout.js'
import { State } from './state.js'

const headerLength = 5

// Never msgpackr's records: their structures live outside the bytes. Copied buffers may be written to.
const packr = new Packr({ useRecords: false, copyBuffers: true })

/** Most bytes by which header and ages can differ between two encodings, per trait and in all. */
export const ageBytes = 9
export const headerBytes = 32

export class Codec {
  /** Layout id to where each of our slots is found. */
  readonly #maps = new Map<number, readonly number[]>()
  // One array for all encodings: every position is written each time.
  readonly #row: unknown[]

  constructor(
    readonly layout: Layout,
    private readonly traitCount: number,
    /** A new, empty value for each slot. */
    private readonly emptySlots: () => unknown[],
  ) {
    this.#row = new Array<unknown>(headerLength + layout.slots.length).fill(null)
    this.#maps.set(layout.id, layout.mapFrom(layout))
  }

  learn(stored: StoredLayout): void {
    if (!this.#maps.has(stored.id)) this.#maps.set(stored.id, this.layout.mapFrom(Layout.parse(stored)))
  }

  knows(id: number): boolean {
    return this.#maps.has(id)
  }

  create(key: string): State {
    return new State(key, 0, this.emptySlots(), new Array<number>(this.traitCount).fill(0))
  }

  /** As if no event had ever been folded in. */
  clear(state: State): void {
    state.slots = this.emptySlots()
    state.changedAt.fill(0)
    state.lastSeq = 0
    state.updatedAt = 0
    state.dueAt = Infinity
    state.isEvaluated = false
  }

  encode(state: State): Buffer {
    const row = this.#row
    const { updatedAt, dueAt, slots, changedAt } = state
    row[0] = this.layout.id
    row[1] = state.lastSeq
    row[2] = updatedAt
    row[3] = dueAt === Infinity ? 0 : dueAt
    row[4] = changedAt.map(at => (at === 0 ? -1 : updatedAt - at))
    for (let i = 0; i < slots.length; i++) row[headerLength + i] = slots[i]
    const bytes = packr.pack(row)
    state.storedBytes = state.boundBytes = bytes.length
    return bytes
  }

  decode(key: string, bytes: Buffer): State {
    const row = this.#unpack(bytes)
    const state = new State(key, row[1] as number, [], [])
    this.#fill(state, row, bytes.length)
    return state
  }

  /** Brings `state` back to what was encoded. */
  restore(state: State, bytes: Buffer): void {
    this.#fill(state, this.#unpack(bytes), bytes.length)
    state.isEvaluated = false
  }

  layoutOf(bytes: Buffer): number {
    // The list's header takes one byte up to 15 entries, else three. Then the id, an unsigned number of any width.
    const at = bytes[0] === 0xdc ? 3 : 1
    switch (bytes[at]) {
      case 0xce:
        return bytes.readUInt32BE(at + 1)
      case 0xcd:
        return bytes.readUInt16BE(at + 1)
      case 0xcc:
        return bytes.readUInt8(at + 1)
      default:
        return bytes[at] ?? 0
    }
  }

  #fill(state: State, row: readonly unknown[], size: number): void {
    const map = this.#maps.get(row[0] as number)!
    const ages = row[4] as number[]
    state.lastSeq = row[1] as number
    state.updatedAt = row[2] as number
    state.dueAt = (row[3] as number) || Infinity
    state.storedBytes = state.boundBytes = size
    if (row[0] === this.layout.id) {
      state.slots = row.slice(headerLength)
      state.changedAt = ages.map(age => (age === -1 ? 0 : state.updatedAt - age))
      return
    }
    state.slots = this.emptySlots().map((empty, i) => (map[i] === -1 ? empty : row[headerLength + map[i]!]))
    state.changedAt = map.slice(0, this.traitCount).map(from => {
      const age = from === -1 ? -1 : ages[from]!
      return age === -1 ? 0 : state.updatedAt - age
    })
  }

  #unpack(bytes: Buffer): unknown[] {
    let row: unknown
    try {
      row = packr.unpack(bytes)
    } catch (cause) {
      throw new MillraceError('profile_unreadable', 'a stored profile is damaged', { cause })
    }
    if (!Array.isArray(row) || !this.knows(row[0] as number)) {
      const id = Array.isArray(row) ? String(row[0]) : 'none'
      throw new MillraceError('profile_unreadable', `a stored profile has the unknown layout ${id}`)
    }
    return row as unknown[]
  }
}
