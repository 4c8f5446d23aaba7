/**
 * The thread of `watchdog.ts`. It counts its own ticks instead of reading a clock: a process that was stopped for a minute wakes
 * up with both its threads, and neither was blocked.
 */
import { workerData } from 'node:worker_threads'
import { createLog } from './log.js'
import type { WatchdogOrder } from './watchdog.js'

const ticksPerTimeout = 10

const { beats, timeoutMs } = workerData as WatchdogOrder
let seen = Atomics.load(beats, 0)
let ticks = 0
setInterval(() => {
  const now = Atomics.load(beats, 0)
  ticks = now === seen ? ticks + 1 : 0
  seen = now
  if (ticks < ticksPerTimeout) return
  createLog('error').error({ blocked_ms: timeoutMs }, 'event loop is blocked, the process ends')
  // Nothing milder ends a process whose main thread does not come back.
  process.kill(process.pid, 'SIGKILL')
}, timeoutMs / ticksPerTimeout)
