/**
 * How fast does the whole pipeline work off a backlog, what does an event cost, and how far is that from what its parts allow?
 *
 * Load: seeded events of the personalization workload (Avro; decode, validate, dedupe, enrich, 10 traits, 3 segments, 5
 * triggers) are in the stream before anything starts. Each round drains them with `millrace run` in its own process and then
 * measures three ceilings in fresh processes on the same events: the bare reader, the bare commits of a recorded run, the fold
 * loop without I/O. Rounds are interleaved, so that all four see the same machine; efficiency is computed within a round.
 *
 * Efficiency is the pipeline's rate over 1 / (1/reader + 1/commit + 1/fold): what the three would reach one after the other.
 * Not in it: publishing, which only the pipeline does; more than one engine; networks, as all runs on one machine; latency.
 */
import { table } from '../../engine/cli/terminal.js'
import { ceilingNames, cpuEfficiencyOf, efficiencyOf, measureCeilings, recordRun } from '../ceilings/measure.js'
import type { Ceilings } from '../ceilings/measure.js'
import type { CommitShape } from '../ceilings/recording.js'
import { millraceWith } from '../contenders/millrace.js'
import { publishBacklog, type Backlog } from '../harness/backlog.js'
import { drain, type Drained } from '../harness/drain.js'
import { describeDifferences } from '../harness/exactness.js'
import type { Measurement } from '../harness/meter.js'
import { Rig } from '../harness/rig.js'
import { rounded, spreadOf, type Spread } from '../harness/statistics.js'
import type { Answer, Question } from '../question.js'
import { personalization } from '../workloads/personalization/workload.js'

interface Round extends Ceilings {
  readonly pipeline: Drained
}

export const pipeline: Question = {
  name: 'pipeline',
  asks: 'How fast is the whole pipeline, and how far from what its parts allow?',
  answer: async (options, say) => {
    const rig = await Rig.start(personalization, say)
    try {
      say(`pipeline: publishing ${options.events} events`)
      const backlog = await publishBacklog(rig, options)
      say('pipeline: recording the commits of a run')
      const recorded = await recordRun(rig, backlog)
      const rounds: Round[] = []
      for (let number = 1; number <= options.rounds; number++) {
        say(`pipeline: round ${number} of ${options.rounds}`)
        await rig.reset()
        const drained = await drain(rig, millraceWith(options), backlog)
        rounds.push({ pipeline: drained, ...(await measureCeilings(rig, recorded)) })
      }
      return answer(rounds, recorded.shape, backlog, rig.versions)
    } finally {
      await rig.stop()
    }
  },
}

function answer(rounds: readonly Round[], shape: CommitShape, backlog: Backlog, versions: string): Answer {
  const spread = (of: (round: Round) => number) => spreadOf(rounds.map(of))
  const parts = ['pipeline', ...ceilingNames] as const
  const rows = parts.map(part => {
    const cpu = (of: 'engine' | 'nats' | 'redis') => spread(round => round[part].cpuUsPerEvent[of]).median.toFixed(1)
    const rate = spread(round => round[part].eventsPerSecond)
    return [part, Math.round(rate.median), range(rate), cpu('engine'), cpu('nats'), cpu('redis')]
  })
  const efficiency = spread(round => efficiencyOf(round.pipeline, round))
  const cpuEfficiency = spread(round => cpuEfficiencyOf(round.pipeline, round))
  const rss = spread(round => round.pipeline.rssMb)
  const payload = Math.round(backlog.payloadBytes / backlog.events)
  const wrong = rounds.map(round => describeDifferences(round.pipeline.differences)).find(words => words !== 'exact')
  const text = [
    `${backlog.events} events of ${payload} bytes on average, ${rounds.length} rounds; ${versions}`,
    `recorded: ${shape.commits} commits of ${shape.eventsPerCommit.toFixed(0)} events, ${shape.profilesPerCommit.toFixed(0)} ` +
      `profiles of ${shape.bytesPerProfile.toFixed(0)} bytes; ${shape.outboxEntries} outbox entries, ${shape.timers} timers, ` +
      `${shape.megabytes.toFixed(0)} MB in all`,
    '',
    table(rows, ['', 'events/s', 'range', 'own CPU us', 'nats us', 'redis us']),
    `efficiency ${efficiency.median.toFixed(2)} (${efficiency.least.toFixed(2)} to ${efficiency.most.toFixed(2)}), ` +
      `by processor time ${cpuEfficiency.median.toFixed(2)}; engine at most ${rss.median.toFixed(0)} MB; ` +
      `counts and sums: ${wrong ?? 'exact'}`,
    '',
  ].join('\n')
  const json = {
    events: backlog.events,
    rounds: rounds.length,
    eventsPerSecond: Math.round(spread(round => round.pipeline.eventsPerSecond).median),
    eventsPerSecondRange: rounds.map(round => Math.round(round.pipeline.eventsPerSecond)).sort((a, b) => a - b),
    cpuUsPerEvent: cpuOf(rounds, 'pipeline'),
    ceilings: Object.fromEntries(ceilingNames.map(part => [part, ceilingOf(rounds, part)])),
    efficiency: rounded(efficiency.median, 3),
    cpuEfficiency: rounded(cpuEfficiency.median, 3),
    rssMb: rounded(rss.median, 1),
    commits: shape,
    versions,
  }
  return { text, json, failure: wrong && `counts and sums are not exact: ${wrong}` }
}

function ceilingOf(rounds: readonly Round[], part: (typeof ceilingNames)[number]): object {
  const { median } = spreadOf(rounds.map(round => round[part].eventsPerSecond))
  return { eventsPerSecond: Math.round(median), cpuUsPerEvent: cpuOf(rounds, part) }
}

function cpuOf(rounds: readonly Round[], part: keyof Round): Measurement['cpuUsPerEvent'] {
  const median = (of: 'engine' | 'nats' | 'redis') =>
    rounded(spreadOf(rounds.map(one => one[part].cpuUsPerEvent[of])).median, 2)
  return { engine: median('engine'), nats: median('nats'), redis: median('redis') }
}

function range({ least, most }: Spread): string {
  return `${Math.round(least)} to ${Math.round(most)}`
}
