/**
 * The laws of a trait, for every kind, lifetime and windowed: any order, any parts, any merge gives what folding everything
 * gives; the stored form is the state; time changes nothing before `nextChange` says so.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Packr } from 'msgpackr'
import t from 'tap'
import { sizeBound } from '../../profiles/plain.js'
import type { TraitKind } from '../../profiles/traits/kind.js'
import { within } from '../../profiles/traits/within.js'
import { traitCases, type Happening, type TraitCase } from './trait-cases.js'

/** 60 tiles of 10 ms. */
const windowMs = 600
const tileMs = 10
const tiles = 60
/** Events happen in [0, 2000); the window at 2000 holds those from 1410 on. */
const end = 2000
const runs = { numRuns: 40 }
const packr = new Packr({ useRecords: false, copyBuffers: true })

interface Subject extends TraitCase {
  /** What of the events counts at `now`. */
  readonly counts: (happening: Happening, now: number) => boolean
}

const subjects: Subject[] = traitCases.flatMap(given => [
  { ...given, name: given.name, counts: () => true },
  {
    ...given,
    name: `${given.name} within a window`,
    kind: within(given.kind, windowMs) as TraitKind,
    counts: ({ at }, now) => Math.floor(at / tileMs) > Math.floor(now / tileMs) - tiles,
  },
])

for (const subject of subjects) {
  const { kind, counts } = subject
  const happenings = fc
    .array(
      fc.record({
        at: fc.oneof(fc.integer({ min: 0, max: end - 1 }), fc.integer({ min: 1400, max: 1420 })),
        // Few positions, so that many events share one, as the children of a split do.
        seq: fc.integer({ min: 1, max: 20 }),
        input: subject.input,
      }),
      { maxLength: 250, size: 'max' },
    )
    .map(all => all.filter(happening => counts(happening, end)))
  const folded = (all: readonly Happening[], state = kind.empty()) =>
    all.reduce((state, { at, seq, input }) => kind.fold(state, input, { at, seq, now: end }), state)
  const merged = (...states: unknown[]) => states.reduce((into, from) => kind.merge(into, from), kind.empty())
  const moments = [end, end + 5, end + 10, end + 300, end + 599, end + 600, end + 5000]

  t.test(`${subject.name}: reads what the events say`, async t => {
    await check(t, happenings, all => {
      const state = folded(all)
      for (const now of moments) {
        const expected = subject.oracle(
          all.filter(happening => counts(happening, now)),
          now,
        )
        const read = kind.read(state, now)
        if (typeof expected === 'function') {
          if (expected(read) !== true) throw new Error(`${String(read)} is too far off at ${now}`)
        } else same(read, expected)
      }
    })
  })

  t.test(`${subject.name}: the order of folding does not matter`, async t => {
    const shuffled = happenings.chain(all =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    )
    await check(t, shuffled, ([one, other]) => same(folded(other), folded(one)))
  })

  t.test(`${subject.name}: merging parts equals folding the union, in any order and grouping`, async t => {
    const parts = fc.tuple(happenings, happenings, happenings)
    await check(t, parts, ([a, b, c]) => {
      const states = [folded(a), folded(b), folded(c)] as const
      const before = states.map(copy)
      const union = folded([...a, ...b, ...c])
      same(merged(...states), union)
      same(merged(states[2], states[0], states[1]), union)
      same(merged(states[0], merged(states[1], states[2])), union)
      same(merged(merged(states[0], states[1]), states[2]), union)
      same([...states], before)
    })
  })

  t.test(`${subject.name}: a merged state goes on without touching the ones it came from`, async t => {
    await check(t, fc.tuple(happenings, happenings), ([a, b]) => {
      const source = folded(a)
      const before = copy(source)
      folded(b, merged(source))
      same(source, before)
    })
  })

  t.test(`${subject.name}: the stored form is the state, and has one form`, async t => {
    await check(t, fc.tuple(happenings, happenings), ([a, b]) => {
      const bytes = Buffer.from(packr.pack(folded(a)))
      const decoded: unknown = packr.unpack(bytes)
      same(decoded, folded(a))
      if (!packr.pack(decoded).equals(bytes)) throw new Error('other bytes')
      const kept = Buffer.from(bytes)
      same(folded(b, decoded), folded([...a, ...b]))
      if (!bytes.equals(kept)) throw new Error('folding wrote into the stored form')
    })
  })

  t.test(`${subject.name}: one fold grows the stored form by no more than it says`, async t => {
    await check(t, happenings, all => {
      let state = kind.empty()
      for (const { at, seq, input } of all) {
        const before = packr.pack(state).length
        state = kind.fold(state, input, { at, seq, now: end })
        const bound = kind.growthBytes + (kind.keepsInput ? sizeBound(input) : 0)
        if (packr.pack(state).length > before + bound) throw new Error(`grew past ${bound}`)
      }
    })
  })

  t.test(`${subject.name}: what was read stays as it was read`, async t => {
    await check(t, fc.tuple(happenings, happenings), ([a, b]) => {
      const state = folded(a)
      const read = kind.read(state, end)
      const kept = structuredClone(read)
      folded(b, state)
      same(read, kept)
    })
  })

  t.test(`${subject.name}: time changes nothing before nextChange`, async t => {
    await check(t, happenings, all => {
      const state = folded(all)
      let next = kind.nextChange(state, end)
      let read = kind.read(state, end)
      for (let now = end + 1; now <= end + windowMs + 1; now++) {
        const later = kind.read(state, now)
        if (now < next) same(later, read)
        else next = kind.nextChange(state, now)
        if (next <= now) throw new Error(`nextChange at ${now} says ${next}`)
        read = later
      }
    })
  })
}

async function check<Input>(
  t: { pass: () => void },
  input: fc.Arbitrary<Input>,
  law: (input: Input) => void,
): Promise<void> {
  fc.assert(fc.property(input, law), runs)
  t.pass()
}

/** Deep equality that tells -0 from 0 and leaves no room for other types. */
function same(actual: unknown, expected: unknown): void {
  assert.deepStrictEqual(actual, expected)
}

/** `structuredClone` would turn a Buffer into something else. */
function copy(state: unknown): unknown {
  return packr.unpack(packr.pack(state))
}
