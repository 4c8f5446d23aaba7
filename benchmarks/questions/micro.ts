/**
 * What does each step of the hot path cost for one event?
 *
 * Load: events of the personalization workload made in memory, 16 partitions, batches of 250, in a process of its own; each round starts
 * with no profiles, after one round that is not counted. Not in it: receiving, Redis, publishing, and how the steps disturb
 * each other's caches when servers share the machine. All figures are per event of the load, also those of steps that only
 * some events reach.
 */
import { table } from '../../engine/cli/terminal.js'
import type { MicroJob, MicroResult } from '../ceilings/micro-task.js'
import type { Question } from '../question.js'
import { runTask } from '../ceilings/run-task.js'
import { rounded, spreadOf } from '../harness/statistics.js'

export const micro: Question = {
  name: 'micro',
  asks: 'What does each step of the hot path cost for one event?',
  answer: async ({ events, rounds, seed, users }, say) => {
    say(`micro: ${rounds} rounds over ${events} events`)
    const job: MicroJob = { events, rounds, seed, users }
    const samples = Object.entries(await runTask<MicroResult>('micro', job))
    const rows = samples.map(([part, us]) => {
      const { median, least, most } = spreadOf(us)
      return [part, median.toFixed(2), `${least.toFixed(2)} to ${most.toFixed(2)}`]
    })
    const sum = samples.reduce((total, [, us]) => total + spreadOf(us).median, 0)
    return {
      text: table([...rows, ['all', sum.toFixed(2), '']], ['step', 'us per event', 'range']),
      json: Object.fromEntries(samples.map(([part, us]) => [part, rounded(spreadOf(us).median, 3)])),
    }
  },
}
