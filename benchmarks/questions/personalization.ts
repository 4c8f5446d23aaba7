/**
 * How does Millrace compare with what a user would pick instead, on the same work in the same run?
 *
 * Load: events of the personalization workload (Avro; decode, validate, dedupe, enrich, 10 traits, 3 segments, 5 triggers; a
 * million users, 5 % copies; four partitions) are in the stream before anything starts. In each round every contender drains
 * them from an empty state, the first of the round being another one each time, and so do the ceilings of Millrace: the bare reader, the bare
 * commits, the fold loop. A slow contender is stopped after some seconds, and its rate is of what it got done. Ratios and
 * efficiency are taken within a round. Then follows a round of a steady load for the latency, broker to trigger.
 *
 * What came out is compared with a model in memory that knows only the messages: sums over all profiles and numbers of plain
 * triggers. Millrace must be exact. Efficiency is its rate over 1 / (1/reader + 1/commit + 1/fold).
 *
 * Not in it: networks, as all runs on one machine and shares its cores; several processes of one contender; recovery.
 */
import { table } from '../../engine/cli/terminal.js'
import { ceilingNames, cpuEfficiencyOf, efficiencyOf, measureCeilings, recordRun } from '../ceilings/measure.js'
import type { Ceilings } from '../ceilings/measure.js'
import { contenders } from '../contenders/index.js'
import { millraceWith } from '../contenders/millrace.js'
import { publishBacklog, type Backlog } from '../harness/backlog.js'
import { differencesOf, drainOf, measureLoads, prepareAll, type Standing } from '../harness/comparison.js'
import { comparisonText, contendersJson, cpuOf } from '../harness/comparison-report.js'
import type { Drained } from '../harness/drain.js'
import { describeDifferences } from '../harness/exactness.js'
import { Rig } from '../harness/rig.js'
import { describeStolen, runRounds, type Rounds } from '../harness/rounds.js'
import { ratioOf, rounded, roundedRatio, spreadOf, type Ratio } from '../harness/statistics.js'
import type { Answer, BenchOptions, Question } from '../question.js'
import { personalizationOnTwoCores as workload } from '../workloads/personalization/workload.js'

type Result = Drained | Ceilings | undefined
const ceilingsName = 'ceilings'
/** A rate has settled after a few seconds. */
const [othersDrainMs, quickDrainMs] = [4_000, 2_000]

export const personalization: Question = {
  name: 'personalization',
  asks: 'How does Millrace compare with what a user would pick instead, on the same work?',
  answer: async (options, say) => {
    const rig = await Rig.start(workload, say)
    const tell = (line: string) => say(`personalization: ${line}`)
    try {
      tell(`publishing ${options.events} events`)
      const backlog = await publishBacklog(rig, options)
      // Millrace comes first in everything that follows.
      const standings = await prepareAll(rig, [millraceWith(options), ...contenders], tell)
      const rounds = await compare(rig, backlog, standings, options, tell)
      for (const standing of standings) {
        standing.drains.push(...rounds.rounds.flatMap(({ results }) => drainIn(results.get(standing.contender.name))))
      }
      await measureLoads(rig, standings, options, tell)
      return answer(standings, rounds, backlog, rig.versions)
    } finally {
      await rig.stop()
    }
  },
}

async function compare(
  rig: Rig,
  backlog: Backlog,
  standings: readonly Standing[],
  options: BenchOptions,
  tell: (line: string) => void,
): Promise<Rounds<Result>> {
  tell('recording the commits of a run')
  const recorded = await recordRun(rig, backlog)
  const entrants = new Map<string, () => Promise<Result>>()
  for (const [place, standing] of standings.entries()) {
    // Millrace, the first, has to finish, because its results are checked.
    const withinMs = place === 0 ? Infinity : options.quick ? quickDrainMs : othersDrainMs
    entrants.set(standing.contender.name, () => drainOf(rig, standing, backlog, { withinMs }, tell))
  }
  entrants.set(ceilingsName, () => measureCeilings(rig, recorded))
  return runRounds(entrants, { rounds: options.rounds, say: tell, name: 'drain' })
}

function answer(standings: readonly Standing[], rounds: Rounds<Result>, backlog: Backlog, versions: string): Answer {
  const [millrace] = standings as [Standing]
  const pairs = rounds.rounds.flatMap(({ results }) =>
    drainIn(results.get(millrace.contender.name)).map(drained => ({
      drained,
      ceilings: results.get(ceilingsName) as Ceilings,
    })),
  )
  const ratios = ratiosOf(millrace.contender.name, rounds)
  const exactness = describeDifferences(differencesOf(millrace))
  const failure =
    millrace.failure ?? (exactness === 'exact' ? undefined : `counts and sums are not exact: ${exactness}`)
  if (pairs.length === 0) return { text: `Millrace failed: ${failure}\n`, json: { workload: workload.name }, failure }
  const efficiency = spreadOf(pairs.map(({ drained, ceilings }) => efficiencyOf(drained, ceilings)))
  const cpuEfficiency = spreadOf(pairs.map(({ drained, ceilings }) => cpuEfficiencyOf(drained, ceilings)))
  const ceilings = ceilingNames.map(name => ({ name, measured: pairs.map(pair => pair.ceilings[name]) }))
  const rateOf = (measured: readonly { eventsPerSecond: number }[]) =>
    Math.round(spreadOf(measured.map(({ eventsPerSecond }) => eventsPerSecond)).median)
  const text = [
    `${backlog.events} events of ${Math.round(backlog.payloadBytes / backlog.events)} bytes on average, ` +
      `${rounds.rounds.length} rounds, ${describeStolen(rounds)}; ${versions}`,
    '',
    comparisonText(standings, ratios),
    table(
      ceilings.map(({ name, measured }) => [name, rateOf(measured), cpuOf(measured).engine.toFixed(1)]),
      ['ceiling', 'events/s', 'own CPU us'],
    ),
    `efficiency ${efficiency.median.toFixed(2)} (${efficiency.least.toFixed(2)} to ${efficiency.most.toFixed(2)}), ` +
      `by processor time ${cpuEfficiency.median.toFixed(2)}`,
    '',
  ].join('\n')
  const json = {
    workload: workload.name,
    versions,
    events: backlog.events,
    rounds: rounds.rounds.length,
    stolenShare: rounds.rounds.map(({ stolen }) => rounded(stolen, 4)),
    discardedRounds: rounds.discarded.length,
    contenders: contendersJson(standings),
    ratios: Object.fromEntries([...ratios].map(([name, ratio]) => [name, roundedRatio(ratio)])),
    ceilings: Object.fromEntries(
      ceilings.map(({ name, measured }) => [
        name,
        { eventsPerSecond: rateOf(measured), cpuUsPerEvent: cpuOf(measured) },
      ]),
    ),
    efficiency: rounded(efficiency.median, 3),
    cpuEfficiency: rounded(cpuEfficiency.median, 3),
  }
  return { text, json, failure }
}

/** Millrace's rate over each other's, in the rounds that both finished. */
function ratiosOf(millrace: string, { rounds }: Rounds<Result>): Map<string, Ratio> {
  const ratios = new Map<string, Ratio>()
  for (const { name } of contenders) {
    const pairs = rounds.flatMap(({ results }) => {
      const [[own], [other]] = [drainIn(results.get(millrace)), drainIn(results.get(name))]
      return own && other ? [[own.eventsPerSecond, other.eventsPerSecond] as const] : []
    })
    if (pairs.length > 0) ratios.set(name, ratioOf(pairs))
  }
  return ratios
}

function drainIn(result: Result): Drained[] {
  return result === undefined || 'reader' in result ? [] : [result]
}
