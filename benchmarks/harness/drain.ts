/** One round of a contender: started on an empty state, it works off the backlog. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Contender, Entrant } from '../contenders/contender.js'
import type { Backlog } from './backlog.js'
import { judge, type Differences } from './exactness.js'
import { Meter, type Measurement } from './meter.js'
import type { Rig } from './rig.js'

const stalledAfterMs = 30_000
/** Asking costs the contender something: often at both ends, where it decides, and seldom in between. */
const [leastPauseMs, mostPauseMs] = [20, 250]

export interface DrainBounds {
  /** A contender that needs longer is stopped, and what it got done counts. Default: no bound. */
  readonly withinMs?: number
}

export interface Drained extends Measurement {
  /** What was measured over. */
  readonly events: number
  readonly isComplete: boolean
  /** Absent when the contender did not finish or the workload does not know what must come out. */
  readonly differences: Differences | undefined
}

/**
 * Measures from the first event that is seen to be done, so that starting is left out, to when every event is committed and
 * every effect acknowledged by the broker. Warm-up of the contender's code is in it. The state must be empty.
 */
export async function drain(
  rig: Rig,
  contender: Contender,
  backlog: Backlog,
  { withinMs = Infinity }: DrainBounds = {},
): Promise<Drained> {
  const site = await rig.site(contender.name)
  const entrant = await contender.start(site)
  let measured: Measured
  try {
    measured = await workOff(rig, entrant, backlog.events, withinMs)
  } finally {
    await entrant.stop()
  }
  const { measurement, events, isComplete } = measured
  return {
    ...measurement,
    events,
    isComplete,
    differences: isComplete ? await judge(rig, contender, site, backlog.tally) : undefined,
  }
}

interface Measured {
  readonly measurement: Measurement
  readonly events: number
  readonly isComplete: boolean
}

async function workOff(rig: Rig, entrant: Entrant, events: number, withinMs: number): Promise<Measured> {
  let meter: Meter | undefined
  let before = 0
  let done = 0
  let movedAt = performance.now()
  for (;;) {
    entrant.check()
    const now = await entrant.done()
    if (now > done) movedAt = performance.now()
    if (performance.now() - movedAt > stalledAfterMs) throw new Error(`stands still at event ${now} of ${events}`)
    done = now
    if (meter === undefined && done > 0) {
      meter = new Meter(rig.processes(...entrant.pids))
      before = done
    }
    const isComplete = done >= events
    if (meter !== undefined && (isComplete || meter.elapsedMs > withinMs)) {
      if (done === before) throw new Error(`${events} events are too few to measure: all were done at the first look`)
      return { measurement: meter.read(done - before), events: done - before, isComplete }
    }
    await sleep(pauseMs(meter, done - before, events - done))
  }
}

/** Half of what the rest will take. */
function pauseMs(meter: Meter | undefined, measured: number, left: number): number {
  if (meter === undefined || measured === 0) return leastPauseMs
  return Math.min(mostPauseMs, Math.max(leastPauseMs, ((left / measured) * meter.elapsedMs) / 2))
}
