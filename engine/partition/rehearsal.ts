/**
 * What a replica does before it shows itself to the others. In a process that has just started everything is slow the first time:
 * code that was never run, requests that were never made. Better then than while a partition stands still.
 */
import type { EngineContext } from '../context.js'
import { Wakeup } from '../wakeup.js'
import { examine, staysInPlace } from './examine-partition.js'
import { readAhead } from './session-reader.js'

/** How long a rehearsal waits for events. */
const rehearsalMs = 300

/**
 * Does what an attachment does and needs no ownership: reads everything, checks it and receives some events. No stage and no fold
 * sees them, because an event may kill, and only an owner keeps record of what it dies of.
 */
export async function rehearse(context: EngineContext, partition: number): Promise<void> {
  const found = await context.store.readMeta(partition)
  if (found === undefined || found.phase !== '' || !staysInPlace(found)) return
  const arrived = new Wakeup()
  const ahead = readAhead(context, partition, found)
  ahead.wake = () => arrived.wake()
  try {
    await examine(context, partition, found)
    if (ahead.reader.buffered === 0) await arrived.wait(rehearsalMs)
  } finally {
    await ahead.reader.close()
  }
}
