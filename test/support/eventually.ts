import { setTimeout as sleep } from 'node:timers/promises'

export interface EventuallyOptions {
  /** How long the state may take to come; generous, because a busy machine is not a failure. Default 15 s. */
  readonly withinMs?: number
  readonly everyMs?: number
}

/**
 * Asks again until `probe` gives something other than `undefined` or `false` without throwing, and gives that. Otherwise
 * rejects, saying `what` was waited for and what came last.
 */
export async function eventually<Found>(
  what: string,
  probe: () => Promise<Found | undefined | false> | Found | undefined | false,
  { withinMs = 15_000, everyMs = 20 }: EventuallyOptions = {},
): Promise<Found> {
  const deadline = performance.now() + withinMs
  for (;;) {
    let last: unknown
    try {
      const found = await probe()
      if (found !== undefined && found !== false) return found
      last = found
    } catch (error) {
      last = error
    }
    if (performance.now() > deadline) {
      const seen = last instanceof Error ? last.message : String(last)
      throw new Error(`not within ${withinMs} ms: ${what} (last: ${seen})`, { cause: last })
    }
    await sleep(everyMs)
  }
}
