/**
 * Folds a staged batch into profiles: the heart of the loop, synchronous and deterministic. For each event in stream order:
 * time moves, timers that became due fire, then the event's dead letters are written and its survivors folded.
 *
 * What comes out is a `Fold`: everything one commit must write, and what is told about it afterwards.
 */
import { MillraceError, messageOf } from '../errors.js'
import type { Event } from '../event.js'
import type { ProfileModel, ProfileState } from '../model.js'
import { partitionOf } from '../nats/partitioning.js'
import type { OutboxEntry } from '../outbox/outbox-entry.js'
import { profileStage, type Reject } from '../outcome.js'
import type { EffectCollector, EffectCounts } from './effects.js'
import type { ProfileCache } from './profile-cache.js'
import type { StagedBatch } from './staged-batch.js'
import type { TimerQueue } from './timers.js'

/** Everything a partition keeps in the process between commits. Dropped as a whole when it may be stale. */
export interface PartitionMemory {
  readonly profiles: ProfileCache
  readonly timers: TimerQueue
  readonly effects: EffectCollector
  /** Logical position up to which this memory is complete, committed or not. */
  position: number
  /** Last event received at or before `position`; coordinate of effects. */
  lastSeq: number
  /** The partition's time. */
  now: number
  /** Events whose fold threw before: their positions, and what was thrown. */
  readonly poisoned: Map<number, string>
}

export interface FoldRules {
  readonly model: ProfileModel
  readonly partition: number
  readonly partitions: number
  readonly maxAheadMs: number
  /** Bounds of one commit. */
  readonly maxProfiles: number
  readonly maxBytes: number
}

export interface Fold {
  /** Profiles that changed. */
  readonly changed: ReadonlySet<ProfileState>
  /** Profiles whose timer moved. */
  readonly rearmed: ReadonlySet<ProfileState>
  readonly entries: OutboxEntry[]
  readonly counts: EffectCounts
  /** Last event folded, for the anchor and for latencies; `undefined` when only timers fired. */
  readonly last: Event | undefined
  readonly lastBrokerMs: number
  readonly received: number
  readonly applied: number
  readonly firedTimers: number
  /** Broker's time of each applied event and its own time, for latencies. */
  readonly appliedBrokerMs: number[]
  readonly appliedOccurredAt: number[]
}

/** An event's fold threw: the profile's state is undefined, memory must be dropped and the event not folded again. */
export class PoisonedEvent extends Error {
  constructor(
    readonly seq: number,
    cause: unknown,
  ) {
    super(messageOf(cause), { cause })
  }
}

export class Folder {
  #changed = new Set<ProfileState>()
  #rearmed = new Set<ProfileState>()
  #bytes = 0
  #fired = 0

  constructor(
    private readonly rules: FoldRules,
    private readonly memory: PartitionMemory,
  ) {}

  /**
   * Folds until the batch is done, a bound is reached, or timers that are not known or whose profiles are not loaded come first.
   * The events' profiles must be loaded. Throws `PoisonedEvent`.
   */
  fold(batch: StagedBatch): Fold {
    const { memory } = this
    const { effects } = memory
    const appliedBrokerMs: number[] = []
    const appliedOccurredAt: number[] = []
    let last: Event | undefined
    let lastBrokerMs = 0
    let received = 0
    while (!batch.isDone && !this.#isFull()) {
      const event = batch.next
      const now = Math.max(memory.now, event.receivedAt)
      effects.causedAtMs = 0
      // More timers are due than are at hand: they come first, the event with a later fold.
      if (!this.#fire(now) || !memory.timers.covers(now)) break
      memory.now = now
      const { seq } = event
      effects.follow(seq)
      effects.causedAtMs = batch.nextBrokerMs
      for (let bad = batch.takeRejected(seq); bad !== undefined; bad = batch.takeRejected(seq)) effects.deadLetter(bad)
      for (let good = batch.takeSurvivor(seq); good !== undefined; good = batch.takeSurvivor(seq)) {
        if (!this.#apply(good, now)) continue
        appliedBrokerMs.push(batch.nextBrokerMs)
        appliedOccurredAt.push(good.occurredAt)
      }
      lastBrokerMs = batch.nextBrokerMs
      last = event
      memory.position = seq
      memory.lastSeq = seq
      received++
      batch.advance()
    }
    return this.#finish({ last, lastBrokerMs, received, appliedBrokerMs, appliedOccurredAt })
  }

  /** Fires what is due by the wall clock, when nothing more has arrived. */
  fireUntil(upTo: number): Fold {
    this.memory.effects.causedAtMs = 0
    this.#fire(upTo)
    return this.#finish({ last: undefined, lastBrokerMs: 0, received: 0, appliedBrokerMs: [], appliedOccurredAt: [] })
  }

  #finish(rest: Pick<Fold, 'last' | 'lastBrokerMs' | 'received' | 'appliedBrokerMs' | 'appliedOccurredAt'>): Fold {
    const { entries, counts } = this.memory.effects.take()
    const { last, lastBrokerMs, received, appliedBrokerMs, appliedOccurredAt } = rest
    const fold: Fold = {
      last,
      lastBrokerMs,
      received,
      appliedBrokerMs,
      appliedOccurredAt,
      changed: this.#changed,
      rearmed: this.#rearmed,
      entries,
      counts,
      applied: appliedBrokerMs.length,
      firedTimers: this.#fired,
    }
    this.#changed = new Set()
    this.#rearmed = new Set()
    this.#bytes = 0
    this.#fired = 0
    return fold
  }

  #isFull(): boolean {
    const { maxProfiles, maxBytes } = this.rules
    return this.#changed.size >= maxProfiles || this.#bytes + this.memory.effects.bytes >= maxBytes
  }

  /** False when a bound was reached first, or a profile that is not loaded; the rest fires with the next commit. */
  #fire(upTo: number): boolean {
    const { timers, profiles, effects } = this.memory
    for (;;) {
      const timer = timers.next
      if (timer === undefined || timer.dueAt > upTo) return true
      // A use: what has changed must stay in memory until it is committed.
      const state = profiles.get(timer.key)
      if (state === undefined || this.#isFull()) return false
      timers.take()
      if (state.dueAt !== timer.dueAt) {
        // Armed anew since, or gone: the entry was only a hint. Of what has gone with its profile, the store learns by this.
        if (state.dueAt === Infinity) this.#rearmed.add(state)
        continue
      }
      effects.key = timer.key
      this.memory.now = Math.max(this.memory.now, timer.dueAt)
      try {
        this.rules.model.fire(state, timer.dueAt, effects)
      } catch (error) {
        throw new MillraceError('timer_error', `the definition threw when a timer was due: ${messageOf(error)}`, {
          cause: error,
        })
      }
      this.#fired++
      this.#touch(state, timer.dueAt)
    }
  }

  #apply(event: Event, now: number): boolean {
    const { memory, rules } = this
    const { key } = event
    if (key === '') return this.#reject(event, 'key_missing', 'no stage gave the event a key')
    const belongs = partitionOf(key, rules.partitions)
    if (belongs !== rules.partition) {
      return this.#reject(event, 'wrong_partition', `the key belongs to partition ${belongs}, not ${rules.partition}`)
    }
    let happened = event
    if (event.occurredAt > now) {
      if (event.occurredAt > now + rules.maxAheadMs) {
        const ahead = Math.round((event.occurredAt - now) / 1000)
        return this.#reject(event, 'from_the_future', `occurredAt lies ${ahead} s after the broker received it`)
      }
      happened = event.with({ occurredAt: now })
    }
    const thrown = memory.poisoned.get(event.seq)
    if (thrown !== undefined) return this.#reject(event, 'fold_error', thrown)
    if (!rules.model.hears(event.type)) return false
    const state = memory.profiles.get(key)!
    const dueBefore = state.dueAt
    memory.effects.key = key
    let outcome: Reject | undefined
    try {
      outcome = rules.model.fold(state, happened, now, memory.effects)
    } catch (error) {
      throw new PoisonedEvent(event.seq, error)
    }
    if (outcome !== undefined) return this.#reject(event, outcome.reason, outcome.detail)
    this.#touch(state, dueBefore)
    return true
  }

  #touch(state: ProfileState, dueBefore: number): void {
    if (!this.#changed.has(state)) {
      this.#changed.add(state)
      this.#bytes += state.storedBytes
    }
    if (state.dueAt !== dueBefore) {
      this.#rearmed.add(state)
      if (state.dueAt < Infinity) this.memory.timers.arm(state.key, state.dueAt)
    }
  }

  #reject(event: Event, reason: string, detail: string): false {
    this.memory.effects.deadLetter({ event, stage: profileStage, reason, detail })
    return false
  }
}
