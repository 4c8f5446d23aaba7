/** Whether measured ratios are within what the baseline allows. */
import { spreadOf, type Spread } from '../harness/statistics.js'

/** Processor time of one event, microseconds: the whole engine's, and of what it is measured by, all of one round. */
export interface Costs {
  readonly engine: number
  readonly reader: number
  readonly commit: number
  readonly fold: number
  /** The fixed loop that shares no code with the engine. */
  readonly codec: number
}

export const ratioNames = ['engine / ceilings', 'fold / codec', 'engine / codec'] as const
export type RatioName = (typeof ratioNames)[number]
export type Baseline = Readonly<Record<RatioName, number>>

/** A median may be this much above its baseline. */
export const tolerance = 0.1

export interface Judged extends Spread {
  readonly baseline: number
  /** How far the median is above the baseline (below: negative), as a share of it. */
  readonly change: number
  readonly isHeld: boolean
}

export function ratiosOf({ engine, reader, commit, fold, codec }: Costs): Baseline {
  return {
    'engine / ceilings': engine / (reader + commit + fold),
    'fold / codec': fold / codec,
    'engine / codec': engine / codec,
  }
}

/** Of each ratio the median over the rounds, and its range. */
export function spreadsOf(rounds: readonly Costs[]): Readonly<Record<RatioName, Spread>> {
  const ratios = rounds.map(ratiosOf)
  return byName(name => spreadOf(ratios.map(ratio => ratio[name])))
}

export function judge(rounds: readonly Costs[], baseline: Baseline): Readonly<Record<RatioName, Judged>> {
  const spreads = spreadsOf(rounds)
  return byName(name => {
    const change = spreads[name].median / baseline[name] - 1
    return { ...spreads[name], baseline: baseline[name], change, isHeld: change <= tolerance }
  })
}

/** What is wrong, with the figures; `undefined` when nothing is. */
export function failureOf(judged: Readonly<Record<RatioName, Judged>>): string | undefined {
  const broken = ratioNames.filter(name => !judged[name].isHeld)
  if (broken.length === 0) return undefined
  const words = broken.map(name => {
    const { median, least, most, baseline, change } = judged[name]
    const doubt = least <= baseline * (1 + tolerance) ? ', some rounds were within' : ', all rounds were beyond'
    return (
      `${name} is ${median.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)}), ` +
      `${(change * 100).toFixed(0)} % above ${baseline.toFixed(2)}${doubt}`
    )
  })
  return `an event costs more than ${tolerance * 100} % above the baseline: ${words.join('; ')}`
}

function byName<Value>(of: (name: RatioName) => Value): Readonly<Record<RatioName, Value>> {
  return Object.fromEntries(ratioNames.map(name => [name, of(name)])) as Record<RatioName, Value>
}
