/** Waits until the engine has nothing left to do, and says how long that took. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { EngineProcess, EngineStatus } from './demo-engine.js'

/** What an engine says of itself. */
type Watched = Pick<EngineProcess, 'status' | 'metrics' | 'failure'>

/** The last thing that time alone brings: a view leaves the window of two seconds. */
const lastTimeEffectMs = 2_100

const askEveryMs = 20
/** Counting is asked for less often until the end is near: rendering all metrics costs the engine milliseconds. */
const countEveryMs = 200
const nearTheEnd = 0.95
const stillForMs = 500
/** An engine that gets nowhere for this long will not get there. */
const patienceMs = 60_000

/**
 * Resolves when `events` events are processed, with the milliseconds from the last moment at which nothing had been done to
 * the first at which all were known to be committed. Rejects when a partition halts or nothing moves any more.
 */
export async function untilDrained(
  engine: Watched,
  events: number,
  onProgress: (processed: number) => void,
): Promise<number> {
  let startedAt = performance.now()
  let countedAt = startedAt
  let movedAt = startedAt
  let processed = 0
  for (;;) {
    const askedAt = performance.now()
    const { partitions } = await untroubled(engine)
    if (partitions.every(partition => !(partition.position > 0))) startedAt = askedAt
    if (askedAt - countedAt >= countEveryMs || processed > nearTheEnd * events) {
      countedAt = askedAt
      const before = processed
      processed = await countEvents(engine)
      onProgress(processed)
      // Not from when it was asked: between the two questions it may have done everything.
      if (processed >= events) return performance.now() - startedAt
      if (processed !== before) movedAt = askedAt
    }
    if (askedAt - movedAt > patienceMs)
      throw engine.failure(`has processed ${processed} of ${events} events and stopped`)
    await sleep(askEveryMs)
  }
}

/** Resolves when what time alone brings has happened and is published. `lastEventAt` is epoch milliseconds. */
export async function untilStill(engine: Watched, lastEventAt: number): Promise<void> {
  let stillSince = performance.now()
  let published = -1
  while (performance.now() - stillSince <= stillForMs) {
    const status = await untroubled(engine)
    const before = published
    published = await countPublished(engine)
    const isOver = Date.now() >= lastEventAt + lastTimeEffectMs
    if (!isOver || !isStill(status) || published !== before) stillSince = performance.now()
    await sleep(50)
  }
}

/** Resolves when every partition runs. */
export async function untilReady(engine: Watched): Promise<void> {
  while (!(await untroubled(engine)).ready) await sleep(askEveryMs)
}

async function untroubled(engine: Watched): Promise<EngineStatus> {
  const status = await engine.status()
  const [halt] = status.halts
  if (halt !== undefined) throw engine.failure(`has halted partition ${halt.partition}: ${halt.reason}`)
  return status
}

function isStill({ ready, partitions }: EngineStatus): boolean {
  return ready && partitions.every(partition => partition.isIdle)
}

async function countEvents(engine: Watched): Promise<number> {
  return (await engine.metrics()).get('millrace_events_total') ?? 0
}

async function countPublished(engine: Watched): Promise<number> {
  const values = [...(await engine.metrics())].filter(([name]) => name.startsWith('millrace_published_total'))
  return values.reduce((total, [, value]) => total + value, 0)
}
