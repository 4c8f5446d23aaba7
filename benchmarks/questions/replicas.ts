/**
 * What do more processes bring on this machine?
 *
 * Load: a backlog of the personalization workload, longer than that of `pipeline`. Each round drains it with one, two and four
 * replicas of the engine that share its partitions. Measured from when the partitions are spread evenly and every replica has
 * committed, to when every event is committed: starting and moving partitions are left out, and so is publishing the last effects.
 *
 * Not in it: more than one machine. All replicas, NATS and Redis share the same cores, so the rate can only rise as far as one
 * replica leaves cores idle; the processor time of an event says what a larger machine would have to give.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { table } from '../../engine/cli/terminal.js'
import { publishBacklog, type Backlog } from '../harness/backlog.js'
import { EngineProcess } from '../harness/engine-process.js'
import { Meter, type Measurement } from '../harness/meter.js'
import type { Answer, Question } from '../question.js'
import { Rig } from '../harness/rig.js'
import { rounded, spreadOf } from '../harness/statistics.js'
import { personalization } from '../workloads/personalization/workload.js'

const counts = [1, 2, 4] as const
const lookEveryMs = 40
const stalledAfterMs = 30_000
/** Partitions move one by one, each when the last one has caught up: fewer are worked off before four replicas have their share. */
const leastEvents = 1_200_000
/** Below this a figure would be of a few moments only. */
const leastShareMeasured = 0.15

export const replicas: Question = {
  name: 'replicas',
  asks: 'What do two and four processes bring on this machine?',
  answer: async (options, say) => {
    const rig = await Rig.start(personalization, say)
    const events = Math.max(options.events, leastEvents)
    try {
      say(`replicas: publishing ${events} events`)
      const backlog = await publishBacklog(rig, { ...options, events })
      const rounds = new Map<number, Measurement[]>(counts.map(count => [count, []]))
      for (let number = 1; number <= options.rounds; number++) {
        for (const count of counts) {
          say(`replicas: round ${number} of ${options.rounds}, ${count} processes`)
          await rig.reset()
          rounds.get(count)!.push(await share(rig, backlog, count))
        }
      }
      return answer(rounds, events, rig.versions)
    } finally {
      await rig.stop()
    }
  },
}

async function share(rig: Rig, backlog: Backlog, count: number): Promise<Measurement> {
  const engines = Array.from({ length: count }, (_, i) => EngineProcess.spawnReplica(rig.engine, `bench-${i}`))
  try {
    let meter: Meter | undefined
    let before = 0
    let done = 0
    let movedAt = performance.now()
    while (done < backlog.events) {
      for (const engine of engines) engine.check()
      const { events, owned } = await standing(rig, backlog)
      if (events > done) movedAt = performance.now()
      if (performance.now() - movedAt > stalledAfterMs) throw new Error(`no commit for ${stalledAfterMs} ms`)
      done = events
      const fair = Math.floor(rig.pipeline.partitions / count)
      if (meter === undefined && done > 0 && engines.every((_, i) => (owned.get(`bench-${i}`) ?? 0) >= fair)) {
        meter = new Meter(rig.processes(...engines.map(({ pid }) => pid)))
        before = done
      }
      if (done < backlog.events) await sleep(lookEveryMs)
    }
    const measured = backlog.events - before
    if (meter === undefined || measured < leastShareMeasured * backlog.events) {
      const left = `${measured} of ${backlog.events} events were left when the partitions of ${count} processes were spread`
      throw new Error(`${left}; use more --events`)
    }
    return meter.read(measured)
  } finally {
    await Promise.all(engines.map(engine => engine.stop()))
  }
}

async function standing(rig: Rig, backlog: Backlog): Promise<{ events: number; owned: Map<string, number> }> {
  const { partitions } = rig.pipeline
  const metas = await Promise.all(Array.from({ length: partitions }, (_, partition) => rig.store.readMeta(partition)))
  const owned = new Map<string, number>()
  let events = 0
  metas.forEach((meta, partition) => {
    if (meta === undefined) return
    events += backlog.upTo(partition, meta.position)
    owned.set(meta.replica, (owned.get(meta.replica) ?? 0) + 1)
  })
  return { events, owned }
}

function answer(rounds: ReadonlyMap<number, readonly Measurement[]>, events: number, versions: string): Answer {
  const median = (count: number, of: (shared: Measurement) => number) => spreadOf(rounds.get(count)!.map(of)).median
  const rows = counts.map(count => {
    const rate = spreadOf(rounds.get(count)!.map(({ eventsPerSecond }) => eventsPerSecond))
    const cpu = (name: keyof Measurement['cpuUsPerEvent']) =>
      median(count, ({ cpuUsPerEvent }) => cpuUsPerEvent[name]).toFixed(1)
    const range = `${Math.round(rate.least)} to ${Math.round(rate.most)}`
    return [count, Math.round(rate.median), range, cpu('engine'), cpu('nats'), cpu('redis')]
  })
  const text = [
    `${events} events; ${versions}`,
    '',
    table(rows, ['processes', 'events/s', 'range', 'engines CPU us', 'nats us', 'redis us']),
    '',
  ].join('\n')
  const figures = (count: number) => {
    const of = (pick: (shared: Measurement) => number, digits: number) => rounded(median(count, pick), digits)
    return {
      eventsPerSecond: of(shared => shared.eventsPerSecond, 0),
      eventsPerSecondRange: rounds
        .get(count)!
        .map(({ eventsPerSecond }) => Math.round(eventsPerSecond))
        .sort((a, b) => a - b),
      cpuUsPerEvent: {
        engine: of(shared => shared.cpuUsPerEvent.engine, 2),
        nats: of(shared => shared.cpuUsPerEvent.nats, 2),
        redis: of(shared => shared.cpuUsPerEvent.redis, 2),
      },
      rssMb: of(shared => shared.rssMb, 1),
    }
  }
  return { text, json: { ...Object.fromEntries(counts.map(count => [count, figures(count)])), versions } }
}
