/**
 * Ends the process when its event loop stands still. A blocked loop cannot look after itself: it renews no lease, answers no
 * probe and hears no SIGTERM. So a second thread watches it and whoever restarts the process goes on.
 */
import { Worker } from 'node:worker_threads'
import type { Log } from './log.js'

/** What the thread is started with. */
export interface WatchdogOrder {
  /** Changes as long as the loop goes round. */
  readonly beats: Int32Array
  readonly timeoutMs: number
}

/** Beats within the timeout: a late one or two are no reason to die. */
const beatsPerTimeout = 20

/** 0 watches nothing. Gives what ends the watch. Neither thread nor timer keeps the process alive. */
export function startWatchdog(timeoutMs: number, log: Log): () => void {
  if (timeoutMs === 0) return () => undefined
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const order: WatchdogOrder = { beats, timeoutMs }
  const heart = setInterval(() => Atomics.add(beats, 0, 1), timeoutMs / beatsPerTimeout)
  const thread = new Worker(new URL('./watchdog-thread.js', import.meta.url), { workerData: order, execArgv: [] })
  thread.on('error', error => log.error({ error }, 'watchdog failed, a blocked process is not ended'))
  thread.unref()
  heart.unref()
  return () => {
    clearInterval(heart)
    void thread.terminate()
  }
}
