/** A short part of the matrix: seeded faults and pairs of them under load, then the oracle. `npm run test:fault` runs all of it. */
import t from 'tap'
import { faults } from './nemesis/table.js'
import { runChaos } from './run/run.js'

/** Too long for a short run, or alone as long as all others together. */
const tooLong = ['replica_stop_60s', 'replica_busy_loop']

for (const [release, seed] of [
  ['installed', 1],
  ['current', 2],
] as const) {
  t.test(`random faults on the ${release} NATS, seed ${seed}: all invariants hold`, async t => {
    const result = await runChaos({
      release,
      seed,
      replicas: 3,
      partitions: 8,
      rate: 1_000,
      seconds: 25,
      users: 500,
      leaseTtl: '2s',
      faults: faults.filter(({ name }) => !tooLong.includes(name) && !name.endsWith('disk_full')),
      everyMs: [3_000, 6_000],
      say: line => t.comment(line),
    })
    t.strictSame(result.violations, [], `logs are in ${result.folder}`)
    t.ok(result.triggers > 1_000, 'there was something to get wrong')
    t.ok(Object.keys(result.faults).length >= 5, 'and something that went wrong')
  })
}
