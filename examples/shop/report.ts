/** What the demo says in the end: a table for people, one line of JSON for programs. */
import { grouped, table } from '../../engine/cli/terminal.js'
import type { Latency, Verdict } from './oracle.js'

export interface DemoResult {
  readonly verdict: Verdict
  /** What the engine itself counted. */
  readonly counted: { readonly events: number; readonly applied: number; readonly duplicates: number }
  readonly eventsPerSecond: number
  /** Publishing pace that was asked for; otherwise a backlog was drained. */
  readonly rate: number | undefined
  readonly rssMb: number | undefined
}

export interface DemoSummary {
  readonly events: number
  readonly applied: number
  readonly duplicates: number
  /** By reason. */
  readonly deadLetters: Readonly<Record<string, number>>
  readonly triggers: Readonly<Record<string, number>>
  readonly suppressed: number
  readonly segments: Readonly<Record<string, number>>
  readonly profiles: number
  readonly mismatches: number
  readonly missingTriggers: number
  readonly unexpectedTriggers: number
  readonly repeatedTriggers: number
  readonly orderViolations: number
  readonly eventsPerSecond: number
  readonly latencyMs: Latency | undefined
  readonly rssMb: number | undefined
}

/** Counts are the engine's where it has them; that the oracle agrees is what `mismatches` says. */
export function summarize({ verdict, counted, eventsPerSecond, rssMb }: DemoResult): DemoSummary {
  const { triggers, segments, profiles, latencyMs } = verdict
  const { missingTriggers, unexpectedTriggers, repeatedTriggers, orderViolations } = verdict
  const deadLetters: Record<string, number> = {}
  for (const [name, count] of Object.entries(verdict.deadLetters)) {
    const reason = name.split(' ')[1]!
    deadLetters[reason] = (deadLetters[reason] ?? 0) + count
  }
  return {
    ...counted,
    deadLetters,
    triggers,
    suppressed: sum(verdict.suppressed),
    segments,
    profiles,
    mismatches: verdict.mismatches + disagreements({ verdict, counted }).length,
    ...{ missingTriggers, unexpectedTriggers, repeatedTriggers, orderViolations },
    eventsPerSecond: Math.round(eventsPerSecond),
    latencyMs,
    rssMb,
  }
}

/** True when the oracle found nothing and the engine counted what it had to. */
export function isGood(result: DemoResult): boolean {
  return result.verdict.isClean && disagreements(result).length === 0
}

/** The table, and what is wrong in words. */
export function report(result: DemoResult): string {
  const { verdict, counted, rate } = result
  const { eventsPerSecond, latencyMs, rssMb } = summarize(result)
  const rows: (readonly [string, string])[] = [
    ['events', grouped(counted.events)],
    ['applied to profiles', grouped(counted.applied)],
    ['duplicates dropped', grouped(counted.duplicates)],
    ...group('dead letters', verdict.deadLetters),
    ['profiles', grouped(verdict.profiles)],
    ...group('in segment', verdict.segments),
    ...group('segment changes', verdict.segmentChanges),
    ...group('triggers', verdict.triggers),
    ...group('suppressed', verdict.suppressed),
    [
      rate === undefined ? 'events/s draining a backlog' : `events/s, published at ${grouped(rate)}/s`,
      grouped(eventsPerSecond),
    ],
    [
      rate === undefined ? 'event to trigger, in the backlog' : 'event to trigger, after 3 s of warm-up',
      milliseconds(latencyMs),
    ],
    ["engine's memory, peak", rssMb === undefined ? 'unknown' : `${grouped(rssMb)} MB`],
  ]
  const problems = [...disagreements(result), ...verdict.details]
  return `${table(rows)}\n${judgement(result)}\n${problems.map(line => `  - ${line}\n`).join('')}`
}

function judgement(result: DemoResult): string {
  if (isGood(result))
    return 'The oracle agrees: every profile, trigger, segment change and dead letter, each exactly once.'
  const { mismatches, missingTriggers, unexpectedTriggers, repeatedTriggers, orderViolations } = summarize(result)
  return (
    `The oracle disagrees: ${mismatches} mismatches, ${missingTriggers} triggers missing, ${unexpectedTriggers} unexpected, ` +
    `${repeatedTriggers} repeated, ${orderViolations} out of order.`
  )
}

function disagreements({ verdict, counted }: Pick<DemoResult, 'verdict' | 'counted'>): string[] {
  return (['events', 'applied', 'duplicates'] as const)
    .filter(name => counted[name] !== verdict[name])
    .map(name => `the engine counted ${counted[name]} ${name}, the oracle ${verdict[name]}`)
}

/** A line for the total, one for each part. */
function group(title: string, counts: Readonly<Record<string, number>>): [string, string][] {
  const parts = Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    [title, grouped(sum(counts))],
    ...parts.map(([name, count]): [string, string] => [`  ${name}`, grouped(count)]),
  ]
}

function milliseconds(latency: Latency | undefined): string {
  if (latency === undefined) return 'no triggers'
  return `p50 ${latency.p50.toFixed(2)} ms, p99 ${latency.p99.toFixed(2)} ms, p99.9 ${latency.p999.toFixed(2)} ms`
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}
