/**
 * The replica's end of `millrace run --processes`. The channel to the supervisor says two things: up, which admin port was
 * taken; down, by being closed, that this process is to stop. A supervisor that dies closes it too, so no replica is left behind,
 * and unlike a signal it may come twice.
 */

/** What a replica tells its supervisor. */
export interface ReplicaReport {
  readonly adminPort: number
}

export function isReplicaReport(message: unknown): message is ReplicaReport {
  return typeof message === 'object' && message !== null && 'adminPort' in message
}

/** Aborted when the supervisor wants this process to stop, or is gone; `undefined` when none has started it. */
export function supervisorSignal(): AbortSignal | undefined {
  if (process.connected === undefined) return undefined
  const stopping = new AbortController()
  process.once('disconnect', () => stopping.abort())
  // It may have been closed while the program was loaded.
  if (!process.connected) stopping.abort()
  return stopping.signal
}

/** Nothing happens when there is no supervisor, or not any more. */
export function reportToSupervisor(report: ReplicaReport): void {
  if (process.connected) process.send?.(report, undefined, undefined, () => undefined)
}
