/** Every question, in the order in which they are asked. */
import type { Question } from '../question.js'
import { gate } from './gate.js'
import { growth } from './growth.js'
import { latency } from './latency.js'
import { memory } from './memory.js'
import { micro } from './micro.js'
import { nexmark } from './nexmark.js'
import { personalization } from './personalization.js'
import { pipeline } from './pipeline.js'
import { replicas } from './replicas.js'
import { runtimes } from './runtimes.js'
import { shufflebench } from './shufflebench.js'
import { yahoo } from './yahoo.js'

/** Asked when none is named: what users ask first. */
export const usualQuestions: readonly Question[] = [
  personalization,
  latency,
  yahoo,
  shufflebench,
  nexmark,
  memory,
  growth,
]

/** The others are asked when they are named. */
export const allQuestions: readonly Question[] = [...usualQuestions, pipeline, replicas, runtimes, micro, gate]
