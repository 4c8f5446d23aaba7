/**
 * Compares what the engine has left in Redis and in the streams with what had to come of the messages: every profile, every
 * trigger, and nothing besides.
 */
import { isDeepStrictEqual } from 'node:util'
import { Redis } from 'ioredis'
import { systemClock } from '../../engine/clock.js'
import { limitsOf } from '../../engine/config/limits.js'
import { Names } from '../../engine/nats/names.js'
import { partitionOf } from '../../engine/nats/partitioning.js'
import { RedisKeys } from '../../profiles/redis-keys.js'
import { countOne, triggerText, type Outcome, type Traits } from '../workloads/outcome.js'
import { readStream } from './read-stream.js'
import type { Rig } from './rig.js'

const readAtOnce = 1_000

/** What is wrong, a sentence each; empty when all is as it had to be. The engine must have stopped. */
export async function checkOutcome(rig: Rig, { profiles, triggers }: Outcome): Promise<string[]> {
  const problems: string[] = []
  const stored = await countProfiles(rig)
  if (stored !== profiles.size) problems.push(`${stored} profiles are stored, ${profiles.size} were expected`)
  const wrong = await wrongProfiles(rig, profiles)
  if (wrong.count > 0) problems.push(`${wrong.count} profiles are wrong, such as ${wrong.example}`)
  const published = await readTriggers(rig)
  for (const text of new Set([...published.keys(), ...triggers.keys()])) {
    const [found, expected] = [published.get(text) ?? 0, triggers.get(text) ?? 0]
    if (found !== expected) problems.push(`"${text}" was published ${found} times, not ${expected}`)
  }
  const { streams } = new Names()
  for (const lane of ['suppressed', 'deadletters'] as const) {
    const { lastSeq } = await rig.streams.freshFacts(streams[lane])
    if (lastSeq > 0) problems.push(`there are ${lastSeq} messages in ${streams[lane]}, none was expected`)
  }
  return problems
}

/** One sentence for the answer of a question; `undefined` when nothing is wrong. */
export function inOneSentence(problems: readonly string[]): string | undefined {
  if (problems.length === 0) return undefined
  const more = problems.length > 3 ? `, and ${problems.length - 3} more` : ''
  return `the results are wrong: ${problems.slice(0, 3).join('; ')}${more}`
}

async function countProfiles(rig: Rig): Promise<number> {
  const redis = new Redis(rig.servers.redis.url)
  try {
    const match = new RedisKeys(rig.pipeline.name).pattern.replace(/\*$/, 'p:*')
    // A scan may show a key twice.
    const names = new Set<string>()
    for await (const some of redis.scanStream({ match, count: readAtOnce }) as AsyncIterable<string[]>) {
      for (const name of some) names.add(name)
    }
    return names.size
  } finally {
    redis.disconnect()
  }
}

async function wrongProfiles(
  rig: Rig,
  expected: ReadonlyMap<string, Traits>,
): Promise<{ readonly count: number; readonly example: string }> {
  const model = rig.pipeline.profile.model()
  const now = systemClock.wallMs()
  let [count, example] = [0, '']
  for (const [partition, keys] of byPartition(expected.keys(), rig.pipeline.partitions)) {
    for (let from = 0; from < keys.length; from += readAtOnce) {
      const some = keys.slice(from, from + readAtOnce)
      for (const [at, bytes] of (await rig.store.load(partition, some)).entries()) {
        const key = some[at]!
        const state = bytes === undefined ? undefined : model.decode(key, bytes)
        const traits = state === undefined ? undefined : withoutUndefined(model.view(state, now).traits)
        if (isDeepStrictEqual(traits, expected.get(key))) continue
        count++
        example ||= `${key}: ${JSON.stringify(traits)} instead of ${JSON.stringify(expected.get(key))}`
      }
    }
  }
  return { count, example }
}

function byPartition(keys: Iterable<string>, partitions: number): Map<number, string[]> {
  const groups = new Map<number, string[]>()
  for (const key of keys) {
    const partition = partitionOf(key, partitions)
    const group = groups.get(partition)
    if (group === undefined) groups.set(partition, [key])
    else group.push(key)
  }
  return groups
}

function withoutUndefined(traits: Traits): Traits {
  return Object.fromEntries(Object.entries(traits).filter(([, value]) => value !== undefined))
}

async function readTriggers({ connection, streams, config, pipeline }: Rig): Promise<Map<string, number>> {
  const names = new Names()
  const found = new Map<string, number>()
  const { lastSeq: count } = await streams.freshFacts(names.streams.triggers)
  const limits = limitsOf(config, pipeline.partitions)
  const part = { stream: names.streams.triggers, filter: names.laneSubjects('triggers'), count, limits }
  await readStream(connection, streams, part, ({ events }) => {
    for (const { bytes } of events) {
      const { trigger, key, data } = JSON.parse(bytes.toString()) as { trigger: string; key: string; data: unknown }
      countOne(found, triggerText(trigger, key, data))
    }
  })
  return found
}
