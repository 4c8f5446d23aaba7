/** How drains are shown. */
import { table } from '../../engine/cli/terminal.js'
import { millrace } from '../contenders/millrace.js'
import type { CheckedDrain, CheckedDrains } from '../harness/checked-drain.js'
import { rounded, spreadOf } from '../harness/statistics.js'

const header = ['', 'events/s', 'range', 'engine us', 'nats us', 'redis us', 'events/commit', 'engine MB', 'results']

/** A row for each workload, and a line about each load. */
export function drainsText(results: readonly CheckedDrains[]): string {
  const rows = results.map(({ workload, events, drains, failure }) => {
    const rate = spreadOf(drains.map(({ eventsPerSecond }) => eventsPerSecond))
    const us = (role: keyof CheckedDrain['cpuUsPerEvent']) =>
      median(drains, drain => drain.cpuUsPerEvent[role]).toFixed(1)
    return [
      workload,
      Math.round(rate.median),
      `${Math.round(rate.least)} to ${Math.round(rate.most)}`,
      us('engine'),
      us('nats'),
      us('redis'),
      Math.round(events / median(drains, ({ commits }) => commits)),
      Math.round(median(drains, ({ rssMb }) => rssMb)),
      failure === undefined ? 'exact' : 'WRONG',
    ]
  })
  const loads = results.map(
    ({ workload, events, payloadBytes, drains, profiles, triggers }) =>
      `${workload}: ${drains.length} rounds, ${events} events of ${Math.round(payloadBytes / events)} bytes, ${profiles} profiles, ${triggers} triggers`,
  )
  return [String(results[0]?.versions), '', table(rows, header), ...loads, ''].join('\n')
}

/** By workload, and as contenders as other comparisons have them. */
export function drainsJson(results: readonly CheckedDrains[]): Record<string, unknown> {
  const figures = results.map(result => [result.workload, figuresOf(result)] as const)
  const contenders = figures.map(([workload, { eventsPerSecond, cpuUsPerEvent, rssMb }]) => {
    const name = results.length === 1 ? millrace.name : `${millrace.name} ${workload}`
    return [name, { eventsPerSecond, cpuUsPerEvent, rssMb, guarantee: millrace.guarantee }] as const
  })
  const versions = results[0]?.versions
  return { versions, contenders: Object.fromEntries(contenders), ratios: {}, ...Object.fromEntries(figures) }
}

function figuresOf({ events, payloadBytes, drains, profiles, triggers, failure }: CheckedDrains) {
  const us = (role: keyof CheckedDrain['cpuUsPerEvent']) => median(drains, drain => drain.cpuUsPerEvent[role])
  const [engine, nats, redis] = [us('engine'), us('nats'), us('redis')]
  return {
    events,
    payloadBytes: Math.round(payloadBytes / events),
    profiles,
    triggers,
    eventsPerSecond: Math.round(median(drains, ({ eventsPerSecond }) => eventsPerSecond)),
    eventsPerSecondRange: drains.map(({ eventsPerSecond }) => Math.round(eventsPerSecond)).sort((a, b) => a - b),
    cpuUsPerEvent: {
      sum: rounded(engine + nats + redis, 2),
      engine: rounded(engine, 2),
      nats: rounded(nats, 2),
      redis: rounded(redis, 2),
    },
    commits: median(drains, ({ commits }) => commits),
    rssMb: rounded(
      median(drains, ({ rssMb }) => rssMb),
      1,
    ),
    isExact: failure === undefined,
  }
}

function median(drains: readonly CheckedDrain[], of: (drain: CheckedDrain) => number): number {
  return spreadOf(drains.map(of)).median
}
