/**
 * The replica's end of `millrace run --processes`. The channel to the supervisor says three things: up, which admin port was
 * taken, and why it could not start; down, by being closed, that this process is to stop. A supervisor that dies closes it too,
 * so no replica is left behind, and unlike a signal it may come twice.
 */
import { MillraceError, type ErrorCode } from '../errors.js'

/** Why a process ends that could not start, when trying again does not help. */
export interface StartFailure {
  readonly code: ErrorCode
  readonly message: string
  readonly lines: readonly string[]
}

/** What a replica tells its supervisor. */
export type ReplicaReport = { readonly adminPort: number } | { readonly startFailure: StartFailure }

export function isReplicaReport(message: unknown): message is ReplicaReport {
  return typeof message === 'object' && message !== null && ('adminPort' in message || 'startFailure' in message)
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

/** Resolves when it is sent. Nothing happens when there is no supervisor, or not any more. */
export function reportToSupervisor(report: ReplicaReport): Promise<void> {
  return new Promise(resolve => {
    if (process.connected) process.send!(report, undefined, undefined, () => resolve())
    else resolve()
  })
}

/** `undefined` for what a later start may get over. */
export function startFailureOf(error: unknown): StartFailure | undefined {
  if (!(error instanceof MillraceError) || error.action !== 'stop') return undefined
  const { code, message, lines } = error
  return { code, message, lines }
}
