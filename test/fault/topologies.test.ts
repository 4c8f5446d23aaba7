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
    faults: ['nats_step_down', 'nats_leader_*', 'nats_nodes_*', 'redis_failover_*', 'redis_split_brain', 'link_nats_*'],
  },
  { name: 'a Redis Cluster', redisTopology: 'cluster', faults: ['redis_slot_move', 'redis_cluster_*', 'replica_kill'] },
]

for (const { name, faults, ...setup } of setups) {
  t.test(`random faults on ${name}: all invariants hold`, async t => {
    const options = { ...few, ...setup, seed: 4, seconds: 20, faults: faultsNamed(faults) }
    const result = await runChaos({ ...options, say: line => t.comment(line) })
    t.strictSame(result.violations, [], `logs are in ${result.folder}`)
    t.ok(result.triggers > 500, 'there was something to get wrong')
    t.ok(Object.keys(result.faults).length >= 3, 'and something that went wrong')
  })
}
