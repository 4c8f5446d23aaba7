/**
 * Runs a batch through the stages: stage by stage, so that `prepare` sees whole batches, and event by event within a stage.
 * All that surrounds a stage is here: counting, timing, retries of `prepare`, dead letters for what throws.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError, messageOf } from './errors.js'
import { Event } from './event.js'
import type { Stage, StageContext, StageDefinition, StageSetup } from './operator.js'
import { Drop, Reject } from './outcome.js'
import type { RecentHashes } from './partition/hash-memory.js'

/** What the chain tells of each stage, once per batch. */
export interface StageObserver {
  stage(name: string, eventsIn: number, eventsOut: number, durationMs: number): void
  dropped(stage: string, reason: string, count: number): void
  prepareFailed(stage: string, error: MillraceError): void
}

/** An event on its way to DEADLETTERS. */
export interface RejectedEvent {
  readonly event: Event
  readonly stage: string
  readonly reason: string
  readonly detail: string
}

export interface StagedEvents {
  /** In stream order. */
  readonly survivors: Event[]
  /** In stream order. */
  readonly rejected: RejectedEvent[]
}

interface RunningStage {
  readonly name: string
  readonly stage: Stage
  /** Declared reasons: others would make metrics and subjects without a bound. */
  readonly drops: ReadonlySet<string>
  readonly rejects: ReadonlySet<string>
}

class Context implements StageContext {
  now = 0
  memory: RecentHashes | undefined = undefined
}

const prepareTimeoutMs = 5_000
const retryMs = [100, 250, 500, 1_000, 2_000, 5_000]

export class StageChain {
  readonly #context = new Context()

  private constructor(
    private readonly stages: readonly RunningStage[],
    private readonly observer: StageObserver,
  ) {}

  static async start(
    definitions: readonly StageDefinition[],
    setup: StageSetup,
    observer: StageObserver,
  ): Promise<StageChain> {
    const stages: RunningStage[] = []
    for (const definition of definitions) {
      try {
        const { name, drops, rejects } = definition
        const stage = await definition.start(setup)
        stages.push({ name, stage, drops: new Set(drops), rejects: new Set(rejects) })
      } catch (error) {
        if (error instanceof MillraceError) {
          const lines = error.lines.length === 0 ? [error.message] : error.lines
          const named = lines.map(line => `stage "${definition.name}": ${line}`)
          throw new MillraceError(error.code, named.join('; '), { cause: error, lines: named })
        }
        const text = `stage "${definition.name}" cannot start: ${messageOf(error)}`
        throw new MillraceError('pipeline_invalid', text, { cause: error, lines: [text] })
      }
    }
    return new StageChain(stages, observer)
  }

  /** `memories` holds one entry a stage, `undefined` for stages without memory. Rejects only when `signal` is aborted. */
  async run(
    batch: readonly Event[],
    memories: readonly (RecentHashes | undefined)[],
    signal: AbortSignal,
  ): Promise<StagedEvents> {
    const rejected: RejectedEvent[] = []
    let events: readonly Event[] = batch
    for (let i = 0; i < this.stages.length; i++) {
      if (events.length === 0) break
      const running = this.stages[i]!
      const { name, stage } = running
      const startedAt = performance.now()
      if (stage.prepare !== undefined) await this.#prepare(name, stage, events, signal)
      const out = this.#process(running, events, memories[i], rejected)
      this.observer.stage(name, events.length, out.length, performance.now() - startedAt)
      events = out
    }
    // Each stage appends its own in order; together they must be in stream order again. The sort is stable.
    if (rejected.length > 1) rejected.sort((a, b) => a.event.seq - b.event.seq)
    return { survivors: events as Event[], rejected }
  }

  async close(): Promise<void> {
    for (const { stage } of this.stages) await stage.close?.()
  }

  #process(
    { name, stage, drops: declaredDrops, rejects: declaredRejects }: RunningStage,
    events: readonly Event[],
    memory: RecentHashes | undefined,
    rejected: RejectedEvent[],
  ): Event[] {
    const out: Event[] = []
    const context = this.#context
    context.memory = memory
    let drops: Map<string, number> | undefined
    for (const event of events) {
      context.now = event.receivedAt
      if (memory !== undefined) memory.seq = event.seq
      let outcome
      try {
        outcome = stage.process(event, context)
      } catch (error) {
        rejected.push({ event, stage: name, reason: 'operator_error', detail: messageOf(error) })
        continue
      }
      if (outcome instanceof Drop) {
        if (!declaredDrops.has(outcome.reason)) {
          rejected.push({ event, stage: name, ...undeclared('drop', outcome.reason) })
          continue
        }
        drops ??= new Map()
        drops.set(outcome.reason, (drops.get(outcome.reason) ?? 0) + 1)
      } else if (outcome instanceof Reject) {
        const { reason, detail } = outcome
        const why = declaredRejects.has(reason) ? { reason, detail } : undeclared('reject', reason)
        rejected.push({ event, stage: name, ...why })
      } else if (outcome instanceof Event) {
        out.push(outcome)
      } else if (Array.isArray(outcome) && outcome.length > 0 && outcome.every(child => child instanceof Event)) {
        for (const child of outcome) out.push(child)
      } else {
        // What the compiler would have caught; passed on, it would break a later stage for ever.
        rejected.push({ event, stage: name, reason: 'operator_error', detail: `answered with ${kindOf(outcome)}` })
      }
    }
    if (drops !== undefined) for (const [reason, count] of drops) this.observer.dropped(name, reason, count)
    return out
  }

  /** A dependency that is down is waited for; its events are not at fault. */
  async #prepare(name: string, stage: Stage, events: readonly Event[], signal: AbortSignal): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted()
      try {
        return await within(prepareTimeoutMs, signal, bounded => stage.prepare!(events, bounded))
      } catch (error) {
        signal.throwIfAborted()
        const text = `stage "${name}" could not prepare a batch of ${events.length}: ${messageOf(error)}`
        this.observer.prepareFailed(name, new MillraceError('prepare_failed', text, { cause: error }))
        await delay(retryMs[Math.min(attempt, retryMs.length - 1)], undefined, { signal })
      }
    }
  }
}

/** Rejects when the time is up or `signal` is aborted, even if `work` does not heed the signal that tells it so. */
async function within<T>(ms: number, signal: AbortSignal, work: (bounded: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController()
  const stop = (): void => over.abort(signal.reason)
  signal.addEventListener('abort', stop)
  const timer = setTimeout(() => over.abort(new Error(`not done within ${ms} ms`)), ms)
  const cut = new Promise<never>((_, reject) => {
    over.signal.addEventListener('abort', () => reject(over.signal.reason as Error))
  })
  try {
    return await Promise.race([cut, work(over.signal)])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

function undeclared(verb: string, reason: string): Pick<RejectedEvent, 'reason' | 'detail'> {
  return { reason: 'operator_error', detail: `${verb} reason "${reason}" is not declared by the operator` }
}

function kindOf(outcome: unknown): string {
  if (Array.isArray(outcome))
    return outcome.length === 0 ? 'an empty list and no reason' : 'a list that holds more than events'
  return `${outcome === null ? 'null' : typeof outcome}, not with an event`
}
