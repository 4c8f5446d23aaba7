/**
 * What does a profile take, in Redis and in the process?
 *
 * Load: three events for each of a million people through the real engine, with its default bounds, so that there is a profile
 * for everybody. Redis says what it uses before the engine starts and when everything is worked off. The process's memory is the
 * most that it has held. What a cached profile takes is measured apart, in a process that decodes a sample of the stored ones.
 *
 * A second load has few people with many events each, whose profiles have filled their lists.
 *
 * Not in it: a failover or a rewrite of the append-only file, during which Redis copies pages that are written to.
 */
import { Redis } from 'ioredis'
import { setTimeout as sleep } from 'node:timers/promises'
import { table } from '../../engine/cli/terminal.js'
import { runTask } from '../ceilings/run-task.js'
import type { Entrant } from '../contenders/contender.js'
import { millraceWith } from '../contenders/millrace.js'
import { publishBacklog } from '../harness/backlog.js'
import { peakRssMbOf } from '../harness/process-usage.js'
import { Rig } from '../harness/rig.js'
import { everyone, eventsEach } from '../memory/everyone.js'
import type { HeapJob, HeapResult } from '../memory/heap-task.js'
import { readRedisUsage, usedMemory, type RedisUsage } from '../memory/redis-usage.js'
import type { Answer, BenchOptions, Question } from '../question.js'
import { personalization } from '../workloads/personalization/workload.js'
import type { Workload } from '../workloads/workload.js'

/** People who come often, `regularUsers`, have as many events each as make all lists of their profiles full. */
const full = { users: 1_000_000, regularUsers: 2_000, regularEvents: 100_000 }
const quick: typeof full = { users: 10_000, regularUsers: 1_000, regularEvents: 50_000 }
/** For a million people, MB of 1,000,000 bytes. */
const mostRedisMb = 1_200
const mostProcessMb = 500
const stalledAfterMs = 30_000
/** Without the tally, which nobody asks. */
const { partitions, pipelineFile, messages } = personalization
const regulars: Workload = { name: 'regulars', partitions, pipelineFile, messages }
/** Decoded in one process. */
const mostDecoded = 20_000

interface Measured {
  readonly events: number
  /** MB that Redis uses more than before, and its resident size at its peak. */
  readonly redisMb: number
  readonly redisRssMb: number
  readonly engineRssMb: number
  readonly usage: RedisUsage
  readonly heap: HeapResult
  readonly maxCached: number
  readonly versions: string
}

export const memory: Question = {
  name: 'memory',
  asks: 'What does a profile take, in Redis and in the process?',
  answer: async (options, say) => {
    const { regularUsers, regularEvents, ...sizes } = options.quick ? quick : full
    const users = options.users ?? sizes.users
    const all = await measure(everyone, users * eventsEach, { ...options, users }, say)
    const regular = await measure(regulars, regularEvents, { ...options, users: regularUsers }, say)
    return answer(users, all, regular)
  },
}

/** Through the engine with its default configuration, on servers of its own. */
async function measure(
  workload: Workload,
  events: number,
  { seed, users }: BenchOptions,
  say: (line: string) => void,
): Promise<Measured> {
  const rig = await Rig.start(workload, say)
  const redis = new Redis(rig.servers.redis.url)
  try {
    const before = await usedMemory(redis)
    const engine = await millraceWith().start(await rig.site('millrace'))
    let engineRssMb: number
    try {
      say(`memory: ${events} events for ${users} people, while the engine runs`)
      await publishBacklog(rig, { events, seed, users })
      await untilDone(engine, events)
      engineRssMb = peakRssMbOf(engine.pids[0]!)
    } finally {
      await engine.stop()
    }
    say('memory: looking at what Redis holds')
    const redisMb = ((await usedMemory(redis)) - before) / 1e6
    const usage = await readRedisUsage(redis, rig.pipeline.name)
    const names = usage.sample.slice(0, mostDecoded)
    const job: HeapJob = { redisUrl: rig.servers.redis.url, pipelineFile: workload.pipelineFile, names }
    return {
      events,
      redisMb,
      redisRssMb: peakRssMbOf(rig.servers.redis.pid),
      engineRssMb,
      usage,
      heap: await runTask<HeapResult>('heap', job),
      maxCached: rig.config.cache.maxProfiles,
      versions: rig.versions,
    }
  } finally {
    redis.disconnect()
    await rig.stop()
  }
}

async function untilDone(engine: Entrant, events: number): Promise<void> {
  let done = 0
  for (let movedAt = performance.now(); done < events;) {
    engine.check()
    const now = await engine.done()
    if (now > done) movedAt = performance.now()
    if (performance.now() - movedAt > stalledAfterMs) throw new Error(`stands still at event ${now} of ${events}`)
    done = now
    await sleep(100)
  }
}

function answer(users: number, all: Measured, regular: Measured): Answer {
  const { usage, versions } = all
  const figures = {
    ...figuresOf(all),
    regularEvents: figure('events of each who comes often', regular.events / regular.usage.profiles, ''),
    regularStoredBytes: figure('their profile, stored form', regular.usage.storedBytes, 'bytes'),
    regularBytes: figure('their profile in Redis, with its name and headers', regular.usage.profileBytes, 'bytes'),
    regularHeapBytes: figure('their profile in the heap', regular.heap.bytesPerProfile, 'bytes'),
  }
  // For fewer people they say nothing.
  const bounds = users === full.users ? boundsOf(all) : undefined
  const broken = Object.values(bounds ?? {}).filter(({ measured, most }) => measured > most)
  const failures = [
    ...(usage.profiles === users ? [] : [`there are ${usage.profiles} profiles of ${users}`]),
    ...broken.map(({ what, measured, most }) => `${what}: ${measured} MB, more than ${most}`),
  ]
  const rows = Object.values(figures).map(({ what, value, unit }) => [what, value, unit])
  return {
    text: `${all.events} events for ${users} people; ${versions}\n\n${table(rows)}`,
    json: { versions, users, figures, ...(bounds && { bounds }) },
    failure: failures.length === 0 ? undefined : failures.join('; '),
  }
}

function figuresOf({ redisMb, redisRssMb, engineRssMb, usage, heap, maxCached }: Measured) {
  const { profiles, storedBytes, profileBytes, beside } = usage
  const kinds = Object.entries(beside)
  const named = kinds.reduce((sum, [, bytes]) => sum + bytes, profileBytes * profiles)
  return {
    profiles: figure('profiles', profiles, ''),
    storedBytes: figure('a profile, stored form', storedBytes, 'bytes'),
    profileBytes: figure('a profile in Redis, with its name and headers', profileBytes, 'bytes'),
    ...Object.fromEntries(
      kinds.map(([kind, bytes]) => [kind, figure(`${kind}, for each profile`, bytes / profiles, 'bytes')]),
    ),
    tables: figure('hash tables and the rest, for each profile', (redisMb * 1e6 - named) / profiles, 'bytes'),
    bytesPerProfile: figure('Redis in all, for each profile', (redisMb * 1e6) / profiles, 'bytes'),
    redisMb: figure('Redis in all', redisMb, 'MB'),
    redisRssMb: figure('resident size of redis-server, peak', redisRssMb, 'MB'),
    heapBytes: figure('a cached profile in the heap', heap.bytesPerProfile, 'bytes'),
    maxCached: figure('profiles that may be cached, by default', maxCached, ''),
    engineRssMb: figure('resident size of the engine, peak', engineRssMb, 'MB'),
  }
}

function figure(what: string, value: number, unit: string) {
  return { what, value: Math.round(value), unit }
}

function boundsOf({ redisRssMb, engineRssMb }: Measured) {
  return {
    redis: { what: 'redis-server, a million people', measured: Math.round(redisRssMb), most: mostRedisMb },
    process: { what: 'the engine, its cache bounded', measured: Math.round(engineRssMb), most: mostProcessMb },
  }
}
