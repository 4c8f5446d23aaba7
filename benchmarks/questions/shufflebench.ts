/**
 * How fast are records matched against a million rules and handed to the states of those who want them?
 *
 * Load: ShuffleBench's records of 1 kB, in the stream before anything starts; a million consumers with a total selectivity of
 * 0.2, so that one record in five updates a state, and every tenth update of a consumer is emitted. Selectivities follow Zipf's
 * law with an exponent of 1, see `workloads/shufflebench/rules.ts`. Each round drains them with `millrace run`; then every
 * state and everything emitted is compared with what the messages demand.
 *
 * Not in it: several engines. The matching decides the key, so all records are in one partition.
 */
import { millraceWith } from '../contenders/millrace.js'
import { drainChecked } from '../harness/checked-drain.js'
import type { Question } from '../question.js'
import { shuffleBench } from '../workloads/shufflebench/shufflebench.js'
import { drainsJson, drainsText } from './drained.js'

export const shufflebench: Question = {
  name: 'shufflebench',
  asks: "How fast is ShuffleBench's core: match, key, update one of a million states, emit every tenth update?",
  answer: async (options, say) => {
    const result = await drainChecked(shuffleBench, millraceWith(options), options, say)
    return { text: drainsText([result]), json: drainsJson([result]), failure: result.failure }
  },
}
