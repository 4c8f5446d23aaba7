/** A short part of the matrix on servers that stand in for each other. `npm run test:fault` runs all of it. */
import t from 'tap'
import { faultsNamed } from './nemesis/table.js'
import { runChaos, type RunOptions } from './run/run.js'

const few = { replicas: 2, partitions: 4, rate: 500, users: 300, leaseTtl: '2s', everyMs: [2_000, 4_000] as const }

const setups: readonly (Pick<RunOptions, 'natsTopology' | 'redisTopology' | 'release'> & {
  readonly name: string
  readonly faults: readonly string[]
})[] = [
  {
    name: 'a JetStream cluster and Redis under Sentinel',
    natsTopology: 'cluster',
    release: 'current',
    redisTopology: 'sentinel',
    faults: ['nats_step_down', 'nats_leader_kill', 'redis_failover_lag', 'redis_failover_back', 'redis_split_brain'],
  },
  { name: 'a Redis Cluster', redisTopology: 'cluster', faults: ['redis_slot_move', 'redis_cluster_*'] },
]

for (const { name, faults, ...setup } of setups) {
  t.test(`faults on ${name}, each alone and then at random: all invariants hold`, async t => {
    const chosen = faultsNamed(faults)
    const options = { ...few, ...setup, seed: 4, every: true, seconds: 10, faults: chosen }
    const result = await runChaos({ ...options, say: line => t.comment(line) })
    t.strictSame(result.violations, [], `logs are in ${result.folder}`)
    t.ok(result.triggers > 500, 'there was something to get wrong')
    for (const fault of chosen) t.ok(result.faults[fault.name]! >= 1, fault.name)
  })
}
