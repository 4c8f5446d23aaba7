/**
 * What do more users, partitions and traits cost?
 *
 * Load: the personalization workload with one thing changed at a time. Each point has servers of its own; a backlog is drained,
 * then an open loop at one rate, the same for all points, gives the latency. For the growing number of users there is a profile
 * for each of them before the engine starts, copies of real ones; the other points start empty, with 100,000 users.
 *
 * Users come as in the example shop: a few often, most hardly ever, so that with more users more profiles are read from Redis. Not
 * in it: timers of the profiles that were there before; replicas; memory, which is a question of its own.
 */
import { table } from '../../engine/cli/terminal.js'
import type { Contender } from '../contenders/contender.js'
import { millraceWith } from '../contenders/millrace.js'
import { points, type Point } from '../growth/points.js'
import { populated, readTemplates } from '../growth/population.js'
import { publishBacklog } from '../harness/backlog.js'
import { drain, type Drained } from '../harness/drain.js'
import { OpenLoop, type LoadResult } from '../harness/open-loop.js'
import { Rig } from '../harness/rig.js'
import { rounded, spreadOf } from '../harness/statistics.js'
import type { Answer, BenchOptions, Question } from '../question.js'

/** The whole has to end within minutes, and filling Redis with millions of profiles takes longer than the rest. */
const full = { mostUsers: Infinity, mostEvents: 80_000, mostRounds: 2, warmUpSeconds: 2, mostSeconds: 5 }
const quick = { mostUsers: 100_000, mostEvents: 20_000, mostRounds: 1, warmUpSeconds: 0.5, mostSeconds: 1 }
const mostPopulatedRounds = 1
const defaultRate = 5_000

interface Measured {
  readonly point: Point
  readonly drains: readonly Drained[]
  readonly load: LoadResult
  readonly versions: string
}

export const growth: Question = {
  name: 'growth',
  asks: 'What do more users, partitions and traits cost?',
  answer: async (options, say) => {
    const sizes = options.quick ? quick : full
    const asked = points.filter(({ users }) => users <= sizes.mostUsers)
    const measured: Measured[] = []
    for (const point of asked) {
      measured.push(await measure(point, options, sizes, line => say(`growth: ${point.size} ${point.curve}, ${line}`)))
    }
    return answer(measured)
  },
}

async function measure(
  point: Point,
  options: BenchOptions,
  { mostEvents, mostRounds, warmUpSeconds, mostSeconds }: typeof full,
  say: (line: string) => void,
): Promise<Measured> {
  const { workload, users } = point
  const rig = await Rig.start(workload, say)
  try {
    say('publishing')
    const events = Math.min(mostEvents, options.events)
    const backlog = await publishBacklog(rig, { ...options, events, users })
    const contender = await contenderFor(point, rig, () => drain(rig, millraceWith(), backlog))
    const drains: Drained[] = []
    const rounds = Math.min(options.rounds, point.isPopulated ? mostPopulatedRounds : mostRounds)
    for (let round = 1; round <= rounds; round++) {
      say(`drain ${round}`)
      await rig.reset()
      drains.push(await drain(rig, contender, backlog))
    }
    const { rate = defaultRate } = options
    say(`${rate} events/s`)
    const loop = await OpenLoop.start(rig, contender, { ...options, users })
    try {
      const seconds = Math.min(mostSeconds, options.seconds)
      return { point, drains, load: await loop.run({ rate, warmUpSeconds, seconds }), versions: rig.versions }
    } finally {
      await loop.stop()
    }
  } finally {
    await rig.stop()
  }
}

/** Where profiles have to be there before, some are made by a drain that nobody measures. */
async function contenderFor(
  { isPopulated, users }: Point,
  { servers, pipeline }: Rig,
  drainOnce: () => Promise<unknown>,
): Promise<Contender> {
  if (!isPopulated) return millraceWith()
  await drainOnce()
  return populated(millraceWith(), pipeline, users, await readTemplates(servers.redis.url, pipeline))
}

function answer(measured: readonly Measured[]): Answer {
  const figures = measured.map(({ point, drains, load }) => ({ curve: point.curve, ...figuresOf(point, drains, load) }))
  const rows = figures.map(({ curve, size, eventsPerSecond, cpuUsPerEvent, latencyMs, rssMb }) => [
    curve,
    size,
    eventsPerSecond,
    ...[cpuUsPerEvent.engine, cpuUsPerEvent.nats, cpuUsPerEvent.redis].map(us => us.toFixed(1)),
    latencyMs === undefined ? 'not sustained' : latencyMs.p50.toFixed(2),
    latencyMs === undefined ? '' : latencyMs.p99.toFixed(2),
    rssMb,
  ])
  const versions = measured[0]?.versions ?? ''
  const head = ['', 'size', 'events/s', 'own CPU us', 'nats us', 'redis us', 'p50 ms', 'p99 ms', 'MB']
  const curveOf = (wanted: Point['curve']) =>
    figures.filter(({ curve }) => curve === wanted).map(({ curve: _curve, ...point }) => point)
  return {
    text: `latency at ${measured[0]?.load.rate} events/s; ${versions}\n\n${table(rows, head)}`,
    json: { versions, users: curveOf('users'), partitions: curveOf('partitions'), traits: curveOf('traits') },
  }
}

function figuresOf(
  { size }: Point,
  drains: readonly Drained[],
  { rate, isSustained, isFinished, latency }: LoadResult,
) {
  const median = (of: (run: Drained) => number) => spreadOf(drains.map(of)).median
  const cpu = (role: 'engine' | 'nats' | 'redis') =>
    rounded(
      median(run => run.cpuUsPerEvent[role]),
      2,
    )
  const rates = drains.map(run => Math.round(run.eventsPerSecond)).sort((a, b) => a - b)
  return {
    size,
    eventsPerSecond: Math.round(spreadOf(rates).median),
    eventsPerSecondRange: rates,
    cpuUsPerEvent: { engine: cpu('engine'), nats: cpu('nats'), redis: cpu('redis') },
    rssMb: Math.round(median(run => run.rssMb)),
    rate,
    latencyMs: isSustained && isFinished ? latency?.brokerToTriggerMs : undefined,
  }
}
