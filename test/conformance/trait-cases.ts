/** Every kind of trait with inputs to draw from and an oracle that recomputes its value from the plain list of events. */
import fc from 'fast-check'
import { hash32 } from '../../profiles/hash.js'
import { count } from '../../profiles/traits/count.js'
import { distinct } from '../../profiles/traits/distinct.js'
import { first } from '../../profiles/traits/first.js'
import type { TraitKind } from '../../profiles/traits/kind.js'
import { last } from '../../profiles/traits/last.js'
import { max } from '../../profiles/traits/max.js'
import { mean } from '../../profiles/traits/mean.js'
import { min } from '../../profiles/traits/min.js'
import { recent } from '../../profiles/traits/recent.js'
import { since } from '../../profiles/traits/since.js'
import { sum } from '../../profiles/traits/sum.js'
import { top } from '../../profiles/traits/top.js'

export interface Happening {
  readonly at: number
  readonly seq: number
  readonly input: unknown
}

export interface TraitCase {
  readonly name: string
  readonly kind: TraitKind
  readonly input: fc.Arbitrary<unknown>
  /** What `read` must give, or a test of it where the contract leaves room. */
  readonly oracle: (happenings: readonly Happening[], now: number) => unknown
}

/** Millionths, so that the oracle can add whole numbers. */
const millionths = fc.integer({ min: -(10 ** 12), max: 10 ** 12 }).map(whole => whole / 1e6)
const numbers = (happenings: readonly Happening[]) => happenings.map(({ input }) => input as number)
const total = (happenings: readonly Happening[]) =>
  Number(numbers(happenings).reduce((sum, value) => sum + BigInt(Math.round(value * 1e6)), 0n)) / 1e6

const plain = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.record({ id: fc.integer({ max: 3 }), name: fc.string() }),
)
/** Latest first; the rank of the input stands for the contract's "the value decides last, always in the same way". */
const byTime = (happenings: readonly Happening[]) =>
  [...happenings].sort((a, b) => b.at - a.at || b.seq - a.seq || (a.input! > b.input! ? -1 : 1))

const many = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 400 }))

function ranked(happenings: readonly Happening[], k: number): unknown {
  const counts = new Map<number, number>()
  for (const value of numbers(happenings)) counts.set(value, (counts.get(value) ?? 0) + 1)
  const kept = [...counts].sort(([a], [b]) => hash32(a) - hash32(b)).slice(0, 128)
  return kept
    .sort(([a, m], [b, n]) => n - m || a - b)
    .slice(0, k)
    .map(([value, count]) => ({ value, count }))
}

export const traitCases: readonly TraitCase[] = [
  { name: 'count', kind: count, input: fc.constant(true), oracle: happenings => happenings.length },
  { name: 'sum', kind: sum, input: millionths, oracle: total },
  {
    name: 'mean',
    kind: mean,
    input: millionths,
    oracle: all => (all.length === 0 ? undefined : total(all) / all.length),
  },
  {
    name: 'min',
    kind: min,
    input: millionths,
    oracle: all => (all.length === 0 ? undefined : Math.min(...numbers(all))),
  },
  {
    name: 'max',
    kind: max,
    input: millionths,
    oracle: all => (all.length === 0 ? undefined : Math.max(...numbers(all))),
  },
  { name: 'last', kind: last, input: fc.string(), oracle: all => byTime(all)[0]?.input },
  { name: 'first', kind: first, input: fc.string(), oracle: all => byTime(all).at(-1)?.input },
  {
    name: 'recent',
    kind: recent(4),
    input: fc.string(),
    oracle: all =>
      byTime(all)
        .slice(0, 4)
        .map(({ input }) => input),
  },
  {
    name: 'since',
    kind: since(70),
    input: fc.constant(true),
    oracle: (all, now) => (all.length === 0 ? undefined : Math.floor((now - byTime(all)[0]!.at) / 70)),
  },
  { name: 'top', kind: top(3), input: many, oracle: all => ranked(all, 3) },
  {
    name: 'distinct',
    kind: distinct,
    input: many,
    oracle: all => {
      const { size } = new Set(numbers(all))
      // Exact up to 64, then five standard errors of 2.3 %.
      return size <= 64 ? size : (read: number) => Math.abs(read - size) <= 0.115 * size
    },
  },
  // Objects have no order of their own in the contract, so what is last among equals is only checked to be consistent.
  { name: 'last of objects', kind: last, input: plain, oracle: () => () => true },
  { name: 'recent of objects', kind: recent(3), input: plain, oracle: () => () => true },
]
