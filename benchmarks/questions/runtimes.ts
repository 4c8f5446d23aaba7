/**
 * What do newer versions of Node bring?
 *
 * Load: the backlog of the personalization workload, drained by the same engine on Node 20, 22 and 24 in rounds that alternate;
 * then each under an open loop at one rate. Counts and sums of every drain are checked, so that a runtime on which something
 * does not work fails. Relative figures are to the first version and taken within a round.
 *
 * Not in it: the servers, which are the same for all; other options of the runtimes.
 */
import { table } from '../../engine/cli/terminal.js'
import { millraceWith } from '../contenders/millrace.js'
import { publishBacklog } from '../harness/backlog.js'
import { drain, type Drained } from '../harness/drain.js'
import { describeDifferences } from '../harness/exactness.js'
import type { Percentiles } from '../harness/latency-histogram.js'
import { OpenLoop } from '../harness/open-loop.js'
import { Rig } from '../harness/rig.js'
import { describeStolen, runRounds, type Rounds } from '../harness/rounds.js'
import { ratioOf, rounded, spreadOf } from '../harness/statistics.js'
import type { Answer, BenchOptions, Question } from '../question.js'
import { findNode, type NodeProgram } from '../runtimes/node-program.js'
import { personalization } from '../workloads/personalization/workload.js'

const majors = [20, 22, 24] as const
const defaultRate = 5_000
const warmUpSeconds = 3

type Latencies = ReadonlyMap<string, Percentiles | undefined>

export const runtimes: Question = {
  name: 'runtimes',
  asks: 'What do newer versions of Node bring?',
  answer: async (options, say) => {
    const programs: NodeProgram[] = []
    for (const major of majors) programs.push(await findNode(major, say))
    const rig = await Rig.start(personalization, say)
    try {
      say(`runtimes: publishing ${options.events} events`)
      const backlog = await publishBacklog(rig, options)
      const entrants = new Map(
        programs.map(({ path, version }) => [
          version,
          async () => {
            await rig.reset()
            return drain(rig, millraceWith({ node: path }), backlog)
          },
        ]),
      )
      const rounds = await runRounds(entrants, { rounds: options.rounds, say, name: 'runtimes' })
      return answer(rounds, await latenciesOf(rig, programs, options, say), rig.versions)
    } finally {
      await rig.stop()
    }
  },
}

/** Empties the rig: only after the drains. */
async function latenciesOf(
  rig: Rig,
  programs: readonly NodeProgram[],
  options: BenchOptions,
  say: (line: string) => void,
): Promise<Latencies> {
  const latencies = new Map<string, Percentiles | undefined>()
  const { rate = defaultRate, seconds } = options
  for (const { path, version } of programs) {
    say(`runtimes: ${version} at ${rate} events/s`)
    const loop = await OpenLoop.start(rig, millraceWith({ node: path }), options)
    try {
      const { latency } = await loop.run({ rate, warmUpSeconds, seconds })
      latencies.set(version, latency?.brokerToTriggerMs)
    } finally {
      await loop.stop()
    }
  }
  return latencies
}

function answer(drained: Rounds<Drained>, latencies: Latencies, versions: string): Answer {
  const names = [...latencies.keys()]
  const first = names[0]!
  const samples = (name: string) => drained.rounds.map(({ results }) => results.get(name)!)
  const figures = names.map(name => {
    const median = (of: (run: Drained) => number) => spreadOf(samples(name).map(of)).median
    const relative = (of: (run: Drained) => number) => {
      const pairs = drained.rounds.map(({ results }) => [of(results.get(name)!), of(results.get(first)!)] as const)
      const { median, low, high } = ratioOf(pairs)
      return { median: rounded(median, 3), low: rounded(low, 3), high: rounded(high, 3) }
    }
    const cpu = (role: 'engine' | 'nats' | 'redis') =>
      rounded(
        median(run => run.cpuUsPerEvent[role]),
        2,
      )
    const latency = latencies.get(name)
    return {
      version: name,
      eventsPerSecond: Math.round(median(run => run.eventsPerSecond)),
      eventsPerSecondRange: samples(name)
        .map(run => Math.round(run.eventsPerSecond))
        .sort((a, b) => a - b),
      cpuUsPerEvent: { engine: cpu('engine'), nats: cpu('nats'), redis: cpu('redis') },
      ...(latency && { latencyMs: { p50: latency.p50, p99: latency.p99, p999: latency.p999 } }),
      rssMb: rounded(
        median(run => run.rssMb),
        1,
      ),
      relativeRate: relative(run => run.eventsPerSecond),
      relativeCpu: relative(run => run.cpuUsPerEvent.engine),
    }
  })
  const rows = figures.map(
    ({ version, eventsPerSecond, cpuUsPerEvent, rssMb, relativeRate, relativeCpu, latencyMs }) => [
      version,
      eventsPerSecond,
      relativeRate.median.toFixed(2),
      cpuUsPerEvent.engine.toFixed(1),
      relativeCpu.median.toFixed(2),
      latencyMs === undefined ? '' : latencyMs.p50.toFixed(2),
      latencyMs === undefined ? '' : latencyMs.p99.toFixed(2),
      rssMb.toFixed(0),
    ],
  )
  const head = ['Node', 'events/s', 'to the first', 'own CPU us', 'to the first', 'p50 ms', 'p99 ms', 'MB']
  return {
    text: `${describeStolen(drained)}; ${versions}\n\n${table(rows, head)}`,
    json: { versions, runtimes: figures },
    failure: failureOf(names, samples),
  }
}

function failureOf(names: readonly string[], samples: (name: string) => readonly Drained[]): string | undefined {
  for (const name of names) {
    for (const { differences } of samples(name)) {
      const exactness = describeDifferences(differences)
      if (exactness !== 'exact') return `counts and sums of Node ${name} are not exact: ${exactness}`
    }
  }
  return undefined
}
