/** Holds the profiles in Redis against those that must be there. Only the stored form's decoder is the engine's. */
import type { Cluster, Redis } from 'ioredis'
import type { Pipeline } from '../../../engine/millrace.js'
import { namesLike } from '../rig/stores.js'
import { canonical } from './canonical.js'
import type { Expectation } from './expectation.js'
import type { Violations } from './violations.js'

/** Every window has passed by then. */
const endOfTime = 8e15

/** Names of everything that a pipeline keeps. */
const kept = /^mr:(chaos:(layouts|members)|\{chaos:(?<partition>\d+)\}:(meta|t|o|d:dedupe:\d+|p:.*))$/s

/** Compares every stored profile of every partition; gives how many there are. */
export async function compareProfiles(
  redis: Redis | Cluster,
  pipeline: Pipeline,
  expectations: readonly Expectation[],
  violations: Violations,
): Promise<number> {
  const model = pipeline.profile.model()
  const layouts = await redis.hgetall(`mr:${pipeline.name}:layouts`)
  for (const [id, json] of Object.entries(layouts)) model.learnLayout({ id: Number(id), json })
  let count = 0
  for (const [partition, expectation] of expectations.entries()) {
    const expected = expectation.profiles()
    const prefix = `mr:{${pipeline.name}:${partition}}:p:`
    for await (const names of namesLike(redis, `${prefix}*`)) {
      const keys = names.map(name => name.slice(prefix.length))
      const stored = await redis.mgetBuffer(keys.map(key => prefix + key))
      keys.forEach((key, i) => {
        count++
        const must = expected.get(key)
        if (must === undefined) return violations.add('no_extra_profile', key)
        expected.set(key, '')
        const is = canonical(model.view(model.decode(key, stored[i]!), endOfTime))
        if (is !== must) violations.add('profile_equal', `is ${is}, not ${must}`)
      })
    }
    for (const [key, must] of expected) if (must !== '') violations.add('profile_equal', `${key} is missing: ${must}`)
  }
  return count
}

/** Finds what no version of the layout in Redis knows, or belongs to a partition that there is not. */
export async function findStrays(redis: Redis | Cluster, partitions: number, violations: Violations): Promise<void> {
  for await (const names of namesLike(redis, '*')) {
    for (const name of names) {
      const found = kept.exec(name)
      const partition = Number(found?.groups?.['partition'] ?? 0)
      if (found === null || partition >= partitions) violations.add('no_extra_key', name)
    }
  }
}
