/** Publishes a file of events: reads, addresses, sends within a window, counts acknowledgements. */
import type { Clock } from '../clock.js'
import { addressOf, type Address, type Addressing } from './event-address.js'
import type { FileEntry, FileEvent } from './event-files/event-file.js'
import type { EventFile } from './event-files/event-files.js'
import type { PublishWindow } from './publish-window.js'

export interface PublishPlan {
  readonly file: EventFile
  readonly addressing: Addressing
  /** Events a second; `undefined`: as fast as they are acknowledged. */
  readonly rate: number | undefined
  /** The first line that is no event ends the command. */
  readonly isStrict: boolean
}

export interface PublishHooks {
  readonly clock: Clock
  /** Resolves early when the signal says stop. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** Ends reading; what is under way is waited for. */
  readonly signal: AbortSignal
  bad(line: number, problem: string): void
  progress(share: number, published: number): void
  /** Instead of publishing, when nothing shall be published. */
  dry?(event: FileEvent, address: Address): void
}

export interface PublishResult {
  readonly published: number
  readonly bad: number
  readonly durationMs: number
}

/** Rejects when the file as a whole cannot be read; failures of publishing are in the window. */
export async function publishFile(
  plan: PublishPlan,
  window: PublishWindow | undefined,
  hooks: PublishHooks,
): Promise<PublishResult> {
  const { clock } = hooks
  const startedAt = clock.monotonicMs()
  let published = 0
  let bad = 0
  try {
    for await (const entry of plan.file.entries) {
      if (hooks.signal.aborted || window?.failure !== undefined) break
      const problem = await publishEntry(entry)
      if (problem === undefined) continue
      bad++
      hooks.bad(entry.line, problem)
      if (plan.isStrict) break
    }
  } finally {
    await window?.drained()
  }
  return { published, bad, durationMs: clock.monotonicMs() - startedAt }

  async function publishEntry(entry: FileEntry): Promise<string | undefined> {
    if ('problem' in entry) return entry.problem
    const address = addressOf(entry.value, plan.addressing)
    if ('problem' in address) return address.problem
    if (plan.rate !== undefined) await dueAt(startedAt + (published * 1000) / plan.rate)
    await window?.room()
    if (window === undefined) hooks.dry?.(entry, address)
    else window.publish(entry.line, address.subject, entry.payload, address.fields)
    published++
    hooks.progress(plan.file.share(), published)
    return undefined
  }

  /** By a schedule from the start, not by pauses: whatever a timer adds is made up for by the next events. */
  async function dueAt(at: number): Promise<void> {
    const early = at - clock.monotonicMs()
    // Timers are a millisecond coarse; waiting for less would let at most a thousand events a second through.
    if (early >= 1) await hooks.sleep(early, hooks.signal)
  }
}
