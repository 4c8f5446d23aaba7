/** Has a contender made of the events what had to come of them? */
import { AckPolicy, DeliverPolicy } from 'nats'
import type { Contender, Site } from '../contenders/contender.js'
import type { Tally, Totals } from '../workloads/workload.js'
import type { Rig } from './rig.js'

/** What differs: how much more (or less, negative) than expected. Empty: exact. */
export type Differences = Readonly<Record<string, number>>

/** Compares what is found in both; a contender says in words what it lacks. */
export function differences(expected: Totals, found: Totals): Differences {
  const compared = Object.keys(expected).filter(name => name in found)
  return Object.fromEntries(
    compared.map(name => [name, found[name]! - expected[name]!] as const).filter(([, difference]) => difference !== 0),
  )
}

/** `exact`, `not checked`, or the differences in words. */
export function describeDifferences(found: Differences | undefined): string {
  if (found === undefined) return 'not checked'
  const words = Object.entries(found).map(([name, by]) => `${name} ${by > 0 ? '+' : ''}${by}`)
  return words.length === 0 ? 'exact' : words.join(', ')
}

/** Reads back what a contender has made of all events. `undefined` without a tally, or when it makes nothing of them. */
export async function judge(
  rig: Rig,
  contender: Contender,
  site: Site,
  tally: Tally | undefined,
): Promise<Differences | undefined> {
  if (tally === undefined || contender.hasNoEffects) return undefined
  const expected = tally.totals()
  return differences(expected, { ...(await contender.totals?.(site)), ...(await countTriggers(rig, expected)) })
}

/** How many triggers of each name the stream holds, of those that are expected: `{ 'triggers.welcome': 12 }`. */
async function countTriggers(rig: Rig, expected: Totals): Promise<Totals> {
  const { consumers } = rig.streams.manager
  const stream = rig.config.streams.triggers
  const totals: Record<string, number> = {}
  for (const name of Object.keys(expected).filter(name => name.startsWith('triggers.'))) {
    const consumer = await consumers.add(stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.All,
      filter_subject: `${name}.*`,
      mem_storage: true,
    })
    totals[name] = consumer.num_pending
    await consumers.delete(stream, consumer.name)
  }
  return totals
}
