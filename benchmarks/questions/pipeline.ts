/**
 * How fast does the whole pipeline work off a backlog, what does an event cost, and how far is that from what its parts allow?
 *
 * Load: seeded events of the example shop (Avro; decode, validate, dedupe, enrich, 13 traits, 2 segments, 4 triggers) are in
 * the stream before anything starts. Each round drains them with `millrace run` in its own process and then measures three
 * ceilings in fresh processes on the same events: the bare reader, the bare commits of a recorded run, the fold loop without
 * I/O. Rounds are interleaved, so that all four see the same machine; efficiency is computed within a round.
 *
 * Efficiency is the pipeline's rate over 1 / (1/reader + 1/commit + 1/fold): what the three would reach one after the other.
 * Not in it: publishing, which only the pipeline does; more than one engine; networks, as all runs on one machine; latency.
 */
import { join } from 'node:path'
import { table } from '../../engine/cli/terminal.js'
import { publishBacklog, type Backlog } from '../harness/backlog.js'
import { drain, type Drained } from '../harness/drain.js'
import type { Measurement } from '../harness/meter.js'
import type { Answer, BenchOptions, Question } from '../question.js'
import { readRecording, shapeOf, type CommitShape } from '../ceilings/recording.js'
import { Rig } from '../harness/rig.js'
import { measureTask, runTask } from '../ceilings/run-task.js'
import { rateInSeries, rounded, spreadOf, type Spread } from '../harness/statistics.js'
import type { Job } from '../ceilings/task.js'

const ceilings = ['reader', 'commit', 'fold'] as const

interface Round extends Record<(typeof ceilings)[number], Measurement> {
  readonly pipeline: Drained
}

export const pipeline: Question = {
  name: 'pipeline',
  asks: 'How fast is the whole pipeline, and how far from what its parts allow?',
  answer: async (options, say) => {
    const rig = await Rig.start(say)
    try {
      say(`pipeline: publishing ${options.events} events`)
      const backlog = await publishBacklog(rig, options.events, options.seed)
      const { counts, lastSeqs } = backlog
      const job: Job = { configFile: rig.configFile, recording: join(rig.servers.folder, 'commits'), counts, lastSeqs }
      say('pipeline: recording the commits of a run')
      await runTask('record', job)
      const shape = shapeOf(readRecording(job.recording), options.events)
      const rounds: Round[] = []
      for (let number = 1; number <= options.rounds; number++) {
        say(`pipeline: round ${number} of ${options.rounds}`)
        rounds.push(await runRound(rig, backlog, job, options))
      }
      return answer(rounds, shape, backlog, rig.versions)
    } finally {
      await rig.stop()
    }
  },
}

async function runRound(rig: Rig, backlog: Backlog, job: Job, { cpuProf }: BenchOptions): Promise<Round> {
  await rig.reset()
  const drained = await drain(rig, backlog, cpuProf)
  const reader = await measureTask(rig, 'reader', job)
  await rig.reset()
  const commit = await measureTask(rig, 'commit', job)
  const fold = await measureTask(rig, 'fold', job)
  return { pipeline: drained, reader, commit, fold }
}

function efficiencyOf({ pipeline, reader, commit, fold }: Round): number {
  return pipeline.eventsPerSecond / rateInSeries([reader, commit, fold].map(part => part.eventsPerSecond))
}

/** The same question asked of processor time, which a busy machine changes less. */
function cpuEfficiencyOf({ pipeline, reader, commit, fold }: Round): number {
  const parts = [reader, commit, fold].reduce((sum, part) => sum + part.cpuUsPerEvent.engine, 0)
  return parts / pipeline.cpuUsPerEvent.engine
}

function answer(rounds: readonly Round[], shape: CommitShape, backlog: Backlog, versions: string): Answer {
  const spread = (of: (round: Round) => number) => spreadOf(rounds.map(of))
  const parts = ['pipeline', ...ceilings] as const
  const rows = parts.map(part => {
    const cpu = (of: 'engine' | 'nats' | 'redis') => spread(round => round[part].cpuUsPerEvent[of]).median.toFixed(1)
    const rate = spread(round => round[part].eventsPerSecond)
    return [part, Math.round(rate.median), range(rate), cpu('engine'), cpu('nats'), cpu('redis')]
  })
  const efficiency = spread(efficiencyOf)
  const cpuEfficiency = spread(cpuEfficiencyOf)
  const commits = spread(round => round.pipeline.commits)
  const rss = spread(round => round.pipeline.rssMb)
  const payload = Math.round(backlog.payloadBytes / backlog.events)
  const text = [
    `${backlog.events} events of ${payload} bytes on average, ${rounds.length} rounds; ${versions}`,
    `recorded: ${shape.commits} commits of ${shape.eventsPerCommit.toFixed(0)} events, ${shape.profilesPerCommit.toFixed(0)} ` +
      `profiles of ${shape.bytesPerProfile.toFixed(0)} bytes; ${shape.outboxEntries} outbox entries, ${shape.timers} timers, ` +
      `${shape.megabytes.toFixed(0)} MB in all; a measured drain had ${commits.median} commits`,
    '',
    table(rows, ['', 'events/s', 'range', 'own CPU us', 'nats us', 'redis us']),
    `efficiency ${efficiency.median.toFixed(2)} (${efficiency.least.toFixed(2)} to ${efficiency.most.toFixed(2)}), ` +
      `by processor time ${cpuEfficiency.median.toFixed(2)}; engine at most ${rss.median.toFixed(0)} MB`,
    '',
  ].join('\n')
  const json = {
    events: backlog.events,
    rounds: rounds.length,
    eventsPerSecond: Math.round(spread(round => round.pipeline.eventsPerSecond).median),
    eventsPerSecondRange: rounds.map(round => Math.round(round.pipeline.eventsPerSecond)).sort((a, b) => a - b),
    cpuUsPerEvent: cpuOf(rounds, 'pipeline'),
    ceilings: Object.fromEntries(ceilings.map(part => [part, ceilingOf(rounds, part)])),
    efficiency: rounded(efficiency.median, 3),
    cpuEfficiency: rounded(cpuEfficiency.median, 3),
    rssMb: rounded(rss.median, 1),
    commits: shape,
    versions,
  }
  return { text, json }
}

function ceilingOf(rounds: readonly Round[], part: (typeof ceilings)[number]): object {
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
