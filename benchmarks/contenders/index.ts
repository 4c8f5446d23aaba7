/** What users pick instead, in the order in which tables show it. Millrace is not among them. */
import { bullMqNothing, bullMqProfiles } from './bullmq.js'
import { connectExamples, connectThreads, connectTuned } from './connect.js'
import type { Contender } from './contender.js'
import { batchingConsumer, naiveConsumer } from './node-consumers.js'

export const contenders: readonly Contender[] = [
  connectTuned,
  connectThreads,
  connectExamples,
  batchingConsumer,
  naiveConsumer,
  bullMqProfiles,
  bullMqNothing,
]

/** The best that each kind of peer can do. */
export const fastest: readonly Contender[] = [connectTuned, batchingConsumer]
