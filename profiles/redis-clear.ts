/** Deletes what a generation of a pipeline's state holds, in small steps and on every master: others go on working beside it. */
import type { RedisKeys } from './redis-keys.js'
import type { RedisLink } from './redis-link.js'

/** Keys that Redis looks at in one step: some tenths of a millisecond. */
const stepKeys = 500

/**
 * All keys of the partitions but their metas. Gives how many there were. What a cluster is moving from node to node meanwhile may be
 * missed; it is found when this is called again.
 */
export async function clearPartitions(link: RedisLink, keys: RedisKeys): Promise<number> {
  // Each master is somewhere else in its keys.
  const cursors = new Map<unknown, string>()
  let count = 0
  for (;;) {
    const steps = await link.onEveryMaster('scan', redis => {
      const cursor = cursors.get(redis) ?? '0'
      const isDone = cursors.has(redis) && cursor === '0'
      const step = isDone ? Promise.resolve(undefined) : redis.scan(cursor, 'MATCH', keys.pattern, 'COUNT', stepKeys)
      return step.then(found => {
        if (found !== undefined) cursors.set(redis, found[0])
        return found?.[1]
      })
    })
    const found = steps.flatMap(([, names]) => names ?? [])
    if (steps.every(([, names]) => names === undefined)) return count
    for (const names of byPartition(found, keys)) {
      count += await link.run(names[0]!, 'clear', redis => redis.unlink(...names))
    }
  }
}

/** One command takes keys of one partition, because only those share a slot. */
function byPartition(found: readonly string[], keys: RedisKeys): Iterable<string[]> {
  const groups = new Map<number, string[]>()
  for (const name of found) {
    const partition = keys.partitionHolding(name)
    if (partition === undefined) continue
    const group = groups.get(partition)
    if (group === undefined) groups.set(partition, [name])
    else group.push(name)
  }
  return groups.values()
}
