/** The whole matrix of faults that lose nothing for good: after each of them everything must be as if it had not been. */
import { definitionFaults } from './definition.js'
import type { Fault } from './fault.js'
import { linkFaults } from './link.js'
import { losses, type Loss } from './losses.js'
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

interface Chosen {
  readonly faults: readonly Fault[]
  readonly losses: readonly Loss[]
}

/**
 * By names that a person gives: one may end in `*`, and one that begins with `!` is left out, of all when there are no others. Throws for
 * a name that there is not.
 */
export function chosen(names: readonly string[]): Chosen {
  const all = [...faults, ...losses]
  const unknown = names.find(name => !all.some(item => isMeant(item, bare(name))))
  if (unknown !== undefined)
    throw new Error(`there is no fault "${bare(unknown)}"; there are ${all.map(({ name }) => name).join(', ')}`)
  const wanted = names.filter(name => !name.startsWith('!'))
  const unwanted = names.filter(name => name.startsWith('!')).map(bare)
  const isChosen = (item: { readonly name: string }): boolean =>
    (wanted.length === 0 || wanted.some(name => isMeant(item, name))) && !unwanted.some(name => isMeant(item, name))
  return { faults: faults.filter(isChosen), losses: losses.filter(isChosen) }
}

function isMeant({ name }: { readonly name: string }, given: string): boolean {
  return name === given || (given.endsWith('*') && name.startsWith(given.slice(0, -1)))
}

function bare(name: string): string {
  return name.replace(/^!/, '')
}
