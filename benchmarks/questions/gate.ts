/**
 * Has an event become more expensive than the stored baseline says?
 *
 * Load: a backlog of the personalization workload, the same number of events always, because the share of warming up depends
 * on it. In each round `millrace run` drains it; then reader, commits and fold alone work off the same, each in a fresh
 * process, and a fixed codec loop without any of the engine's code. Only ratios of processor time within a round are
 * compared, medians over the rounds, never times: so the baseline means something on other machines too.
 *
 * - engine / ceilings sees what only the whole does; a slower part stands above and below the line and stays invisible
 * - fold / codec sees slower stages, traits and encoding
 * - engine / codec sees everything, but compares system calls with computing, which differs most between machines
 *
 * Not in it: rates and latency, memory, time that NATS and Redis use.
 */
import { table } from '../../engine/cli/terminal.js'
import { ceilingNames, efficiencyOf, measureCeilings, recordRun, type Recorded } from '../ceilings/measure.js'
import type { MicroJob } from '../ceilings/micro-task.js'
import { runTask } from '../ceilings/run-task.js'
import { millraceWith } from '../contenders/millrace.js'
import { baselineFile, readBaseline, writeBaseline } from '../gate/baseline.js'
import { failureOf, judge, ratioNames, spreadsOf, tolerance, type Costs } from '../gate/verdict.js'
import { publishBacklog, type Backlog } from '../harness/backlog.js'
import { drain } from '../harness/drain.js'
import { describeDifferences } from '../harness/exactness.js'
import { Rig } from '../harness/rig.js'
import { describeStolen, runRounds } from '../harness/rounds.js'
import { rounded, spreadOf } from '../harness/statistics.js'
import type { Answer, BenchOptions, Question } from '../question.js'
import { personalization } from '../workloads/personalization/workload.js'

const events = 120_000
/** The codec loop is short; more than once over the events, so that its time is not a few ticks. */
const codecRounds = 8

interface Round {
  readonly costs: Costs
  readonly efficiency: number
  /** Empty when counts and sums are exact. */
  readonly wrong: string
}

export const gate: Question = {
  name: 'gate',
  asks: 'Has an event become more expensive than the stored baseline says?',
  answer: async (options, say) => {
    const rig = await Rig.start(personalization, say)
    try {
      say(`gate: publishing ${events} events`)
      const backlog = await publishBacklog(rig, { ...options, events, users: undefined })
      say('gate: recording the commits of a run')
      const recorded = await recordRun(rig, backlog)
      const entrants = new Map([['engine, its parts and the codec', () => runRound(rig, backlog, recorded, options)]])
      // Even a quick answer needs a median.
      const { rounds, ...others } = await runRounds(entrants, { rounds: options.quick ? 3 : 5, say, name: 'gate' })
      const measured = rounds.flatMap(({ results }) => [...results.values()])
      return await answer(measured, describeStolen({ rounds, ...others }), rig.versions, options)
    } finally {
      await rig.stop()
    }
  },
}

async function runRound(rig: Rig, backlog: Backlog, recorded: Recorded, options: BenchOptions): Promise<Round> {
  await rig.reset()
  const drained = await drain(rig, millraceWith(options), backlog)
  const ceilings = await measureCeilings(rig, recorded)
  const codecJob: MicroJob = { events, rounds: codecRounds, seed: options.seed }
  const codec = await runTask<number>('codec', codecJob)
  const [reader, commit, fold] = ceilingNames.map(name => ceilings[name].cpuUsPerEvent.engine)
  const exactness = describeDifferences(drained.differences)
  return {
    costs: { engine: drained.cpuUsPerEvent.engine, reader: reader!, commit: commit!, fold: fold!, codec },
    efficiency: efficiencyOf(drained, ceilings),
    wrong: exactness === 'exact' ? '' : exactness,
  }
}

async function answer(
  rounds: readonly Round[],
  stolen: string,
  versions: string,
  { updateBaseline = false }: BenchOptions,
): Promise<Answer> {
  const costs = rounds.map(round => round.costs)
  const spreads = spreadsOf(costs)
  if (updateBaseline) {
    const [ceilings, fold, engine] = ratioNames.map(name => spreads[name].median)
    const medians = { 'engine / ceilings': ceilings!, 'fold / codec': fold!, 'engine / codec': engine! }
    await writeBaseline(baselineFile, process.version, medians)
  }
  const baseline = await readBaseline(baselineFile, process.version)
  const judged = baseline && judge(costs, baseline)
  const costNames = ['engine', ...ceilingNames, 'codec'] as const
  const usOf = (name: keyof Costs) => spreadOf(costs.map(cost => cost[name])).median
  const efficiency = spreadOf(rounds.map(round => round.efficiency)).median
  const rows = ratioNames.map(name => {
    const { median, least, most } = spreads[name]
    const range = `${least.toFixed(2)} to ${most.toFixed(2)}`
    if (judged === undefined) return [name, median.toFixed(2), range, '', '']
    const { baseline, change, isHeld } = judged[name]
    const percent = `${change >= 0 ? '+' : ''}${(change * 100).toFixed(1)} %`
    return [name, median.toFixed(2), range, baseline.toFixed(2), `${percent}${isHeld ? '' : ', too much'}`]
  })
  const wrong = rounds.map(round => round.wrong).find(words => words !== '')
  const missing = `there is no baseline for Node ${process.version}: write one with --update-baseline on a good commit`
  return {
    text: [
      `${events} events, ${rounds.length} rounds, ${stolen}; ${versions}`,
      `CPU us per event: ${costNames.map(name => `${name} ${usOf(name).toFixed(2)}`).join(', ')}; efficiency by rate ${efficiency.toFixed(2)}`,
      '',
      table(rows, ['ratio of CPU time', 'median', 'range', 'baseline', `change, at most +${tolerance * 100} %`]),
    ].join('\n'),
    json: {
      versions,
      events,
      rounds: rounds.length,
      cpuUsPerEvent: Object.fromEntries(costNames.map(name => [name, rounded(usOf(name), 3)])),
      efficiency: rounded(efficiency, 3),
      ratios: Object.fromEntries(ratioNames.map(name => [name, roundedFigures(judged?.[name] ?? spreads[name])])),
      tolerance,
    },
    failure: wrong !== undefined ? `counts and sums are not exact: ${wrong}` : judged ? failureOf(judged) : missing,
  }
}

function roundedFigures(figures: object): Readonly<Record<string, unknown>> {
  const entries = Object.entries(figures) as [string, unknown][]
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'number' ? rounded(value, 4) : value]),
  )
}
