/**
 * Personalization: the events of the example shop with a million people, some of whom come far more often than others, and 5 %
 * copies. Late, early, damaged and impossible events are in it as in the example. Left out are events from years ahead and
 * under another person's subject: what to do with those is a rule of Millrace alone.
 */
import { fileURLToPath } from 'node:url'
import { readSchemas } from '../../../examples/shop/avro.js'
import { generate } from '../../../examples/shop/generator.js'
import type { Workload } from '../workload.js'
import { ShopTally } from './tally.js'

/** From `build/benchmarks/workloads/personalization/`. */
const root = new URL('../../../../', import.meta.url)

/** Where the schemas, `schemas/<type>.avsc`, and `catalogue.csv` are. */
export const shopFolder = fileURLToPath(new URL('examples/shop/', root))

const schemas = await readSchemas(`${shopFolder}schemas`)
const shares = { copies: 0.05, farFuture: 0, otherSubject: 0 }

/** In as many partitions as a pipeline has when nothing is said. */
export const personalization: Workload = {
  name: 'personalization',
  partitions: 16,
  pipelineFile: fileURLToPath(new URL('benchmarks/workloads/personalization/pipeline.ts', root)),
  waitingTriggers: ['cart_abandoned'],
  messages: ({ users = 1_000_000, ...options }) => generate(schemas, { ...options, users, shares }),
  tally: () => new ShopTally(schemas),
  totalsOf: ({ sessions, views, orders, spend }) => ({
    sessions: Number(sessions),
    views: Number(views),
    orders: Number(orders),
    // Amounts have two decimals.
    spendCents: Math.round(Number(spend) * 100),
  }),
}

/**
 * In four partitions, as one would choose for a machine of two cores: with sixteen a batch holds a fourth of the events, which
 * costs latency, and what sixteen are for, more processes, such a machine has no room for.
 */
export const personalizationOnTwoCores: Workload = {
  ...personalization,
  partitions: 4,
  pipelineFile: fileURLToPath(new URL('benchmarks/workloads/personalization/two-cores-pipeline.ts', root)),
}
