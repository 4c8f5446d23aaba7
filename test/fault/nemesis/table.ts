/** The whole matrix of faults that lose nothing for good: after each of them everything must be as if it had not been. */
import { definitionFaults } from './definition.js'
import type { Fault } from './fault.js'
import { linkFaults } from './link.js'
import { natsClusterFaults } from './nats-cluster.js'
import { natsFaults } from './nats.js'
import { redisClusterFaults } from './redis-cluster.js'
import { redisSentinelFaults } from './redis-sentinel.js'
import { redisFaults } from './redis.js'
import { replicaFaults } from './replica.js'

export const faults: readonly Fault[] = [
  ...replicaFaults,
  ...natsFaults,
  ...natsClusterFaults,
  ...redisFaults,
  ...redisSentinelFaults,
  ...redisClusterFaults,
  ...linkFaults,
  ...definitionFaults,
]

/** Names given by a person; throws for one that there is not. A name may end in `*`. */
export function faultsNamed(names: readonly string[]): readonly Fault[] {
  return names.flatMap(name => {
    const found = faults.filter(
      fault => fault.name === name || (name.endsWith('*') && fault.name.startsWith(name.slice(0, -1))),
    )
    if (found.length === 0)
      throw new Error(`there is no fault "${name}"; there are ${faults.map(f => f.name).join(', ')}`)
    return found
  })
}
