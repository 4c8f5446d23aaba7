/**
 * What the engine asks of the place where profiles live. `profiles/redis-store.ts` and `profiles/memory-store.ts` implement
 * it under one conformance suite.
 *
 * All state of a partition moves in `commit`, atomically, guarded by the token (who may write) and by position and commit id
 * (on top of what). Nothing else writes but `acquire`, `renew`, `release`, `accept`, and what ends a generation: `seal`, `drop`,
 * `clear` and `forget`.
 */
import type { StoredLayout } from './model.js'

/**
 * Where a generation is in its life: `building` behind the one before it, without effects; then in force (empty); `sealed` when
 * the next one goes on instead. Or `dropped` while it was building: what it holds is being deleted and is not whole any more.
 */
export type Phase = 'building' | '' | 'sealed' | 'dropped'

/** Where a partition stands, as stored. Positions count logical sequences: stream sequence + `sequenceOffset`. */
export interface PartitionMeta {
  /** Fencing token of the owner, `<epoch>:<uuid>`; compared for equality. Empty when nobody owns the partition. */
  readonly token: string
  /** Name of the replica that owns it; empty when nobody does. */
  readonly replica: string
  /** Rises with every acquisition, renewal, commit and release; what other replicas watch. */
  readonly renewals: number
  /** Identity of this state, made once; also on record in NATS. */
  readonly stateId: string
  readonly commitId: string
  /** Up to here the state is complete. */
  readonly position: number
  /** Last event that was folded (or dropped, or dead-lettered) in this partition; coordinate of published effects. */
  readonly lastSeq: number
  /** Number of the next effect after `lastSeq`. */
  readonly ordinal: number
  /** The partition's time, epoch milliseconds, never decreasing. */
  readonly now: number
  /** Added to stream sequences, so that positions keep rising when the stream is recreated and the loss accepted. */
  readonly sequenceOffset: number
  /** Creation time of the event stream, as the server says it; empty before the first attach. */
  readonly streamCreated: string
  /** `<stream sequence>:<broker time>:<payload hash>` of the event at `position`; empty when there was none. */
  readonly anchor: string
  /** Hash of the definition in force. */
  readonly definition: string
  /** Position from which it is in force. */
  readonly definitionFrom: number
  /** How many times the definition has changed. */
  readonly definitionChanges: number
  /** Halt reason whose loss a person has accepted; empty when none. */
  readonly accepted: string
  /** How many partitions the pipeline has had from the first attach on; 0 before that. */
  readonly partitions: number
  readonly phase: Phase
  /** What the owner is about to process, see `partition/trial.ts`; empty when nothing is in doubt. */
  readonly trial: string
}

/** Meta of a partition that nothing has happened to. */
export function freshMeta(stateId: string): PartitionMeta {
  return {
    token: '',
    replica: '',
    renewals: 0,
    stateId,
    commitId: '',
    position: 0,
    lastSeq: 0,
    ordinal: 0,
    now: 0,
    sequenceOffset: 0,
    streamCreated: '',
    anchor: '',
    definition: '',
    definitionFrom: 0,
    definitionChanges: 0,
    accepted: '',
    partitions: 0,
    phase: '',
    trial: '',
  }
}

export type MetaUpdate = Partial<Omit<PartitionMeta, 'token' | 'replica' | 'renewals' | 'stateId' | 'commitId'>>

/** A stored profile; `bytes` is undefined to delete it. */
export interface ProfileWrite {
  readonly key: string
  readonly bytes: Buffer | undefined
}

/** `dueAt` Infinity removes the timer. */
export interface TimerWrite {
  readonly key: string
  readonly dueAt: number
}

/** Appends to one time bucket of a stage's hash memory; `bytes` is undefined to delete a bucket that left the window. */
export interface MemoryWrite {
  readonly stage: string
  readonly bucket: number
  readonly bytes: Buffer | undefined
}

export interface Commit {
  readonly token: string
  readonly commitId: string
  readonly previousPosition: number
  readonly previousCommitId: string
  readonly meta: MetaUpdate
  readonly profiles: readonly ProfileWrite[]
  /** Redis expiry of the profiles written, milliseconds; garbage collection only, the fold decides what has expired. */
  readonly profileTtlMs: number | undefined
  readonly timers: readonly TimerWrite[]
  readonly memory: readonly MemoryWrite[]
  /** Outbox entries to append. */
  readonly outbox: readonly Buffer[]
  /** Outbox entries at the head that are known to be published. */
  readonly trim: number
}

/**
 * - `ok`: written, now or by an earlier attempt of the same commit id.
 * - `fenced`: the token is not the owner's any more.
 * - `conflict`: the stored position or commit id is not the previous one; memory is stale.
 */
export type CommitOutcome = 'ok' | 'fenced' | 'conflict'

/**
 * - `sealed`: now or before.
 * - `busy`: timers that are due have not fired.
 * - `building`, `dropped`: it is not in force itself.
 * - `absent`: nobody has ever acquired it.
 */
export type SealOutcome = 'sealed' | 'busy' | 'building' | 'dropped' | 'absent'

/** Who wants a partition. */
export interface Claim {
  /** Stable name of the replica. */
  readonly replica: string
  /** Fresh UUID. */
  readonly id: string
  /** Used only when there is no meta yet. */
  readonly stateId: string
  /** Token that was seen; empty for a partition that nobody owns. */
  readonly expected: string
}

export interface Timer {
  readonly key: string
  readonly dueAt: number
}

export interface MemoryBucket {
  readonly bucket: number
  readonly bytes: Buffer
}

/**
 * Every method rejects with `MillraceError('redis_unavailable')` when the outcome is unknown; each may be called again with
 * the same arguments.
 */
export interface ProfileStore {
  /** The same pipeline in another generation, on the same connections: closing either closes both. A new store is at 1. */
  at(generation: number): ProfileStore
  /**
   * Makes the claiming replica the owner, if the stored token is still the expected one, and returns what is stored, with the
   * new token `<epoch>:<claim.id>`. Creates the meta with `claim.stateId` when there is none. `undefined`: another one has
   * moved the token, or the partition is sealed; nothing was written.
   */
  acquire(partition: number, claim: Claim): Promise<PartitionMeta | undefined>
  /** `undefined` when the partition has never been acquired. */
  readMeta(partition: number): Promise<PartitionMeta | undefined>
  /** Gives the partition up: nobody owns it any more. `fenced` when the token is not the owner's (any more). */
  release(partition: number, token: string): Promise<'ok' | 'fenced'>
  /** Shows that the owner lives, and checks that `commitId` is still the last commit. */
  renew(partition: number, token: string, commitId: string): Promise<CommitOutcome>
  commit(partition: number, commit: Commit): Promise<CommitOutcome>
  /** Stored forms in the order of the keys. */
  load(partition: number, keys: readonly string[]): Promise<(Buffer | undefined)[]>
  /** The earliest timers due from `from` to `upTo`, both included, by time and UTF-8 bytes of the key, at most `limit`. */
  timers(partition: number, from: number, upTo: number, limit: number): Promise<Timer[]>
  /** Stored buckets of a stage's memory, both ends included; a bucket may be absent. */
  memory(partition: number, stage: string, fromBucket: number, toBucket: number): Promise<MemoryBucket[]>
  /** The whole outbox, oldest first. */
  outbox(partition: number): Promise<Buffer[]>
  /** Token of the owner, empty without one, as the server has it that `load`, `timers`, `memory` and `outbox` are read from. */
  tokenRead(partition: number): Promise<string>
  /** A person accepts the loss behind a halt; the owner sees it in the meta. False when there is no such partition. */
  accept(partition: number, reason: string): Promise<boolean>
  /** Ends this generation of a partition for good: nobody owns it and nobody can. `insists`: even while it is `busy`. */
  seal(partition: number, insists: boolean): Promise<SealOutcome>
  /**
   * Marks a partition that is being built, before anything of it is deleted: its owner is fenced, and nobody goes on from what is
   * left. False when it is not being built.
   */
  drop(partition: number): Promise<boolean>
  /** Deletes what this generation holds in all partitions but the metas, in small steps. Gives how many keys it found. */
  clear(): Promise<number>
  /** Deletes the meta; last, because without it the rest would pass for the state of a new beginning. */
  forget(partition: number): Promise<void>
  /**
   * Shows that a replica lives: stores `sign` under its name. Gives what was stored before for every replica, its own name
   * included. Signs are opaque; whoever sees one change knows that its replica lives.
   */
  beat(replica: string, sign: string): Promise<ReadonlyMap<string, string>>
  /** The last sign of every replica, also of one that has died since. Shows nothing itself. */
  members(): Promise<ReadonlyMap<string, string>>
  /** Forgets a replica if its sign is still this one. */
  leave(replica: string, sign: string): Promise<void>
  layouts(): Promise<StoredLayout[]>
  saveLayout(layout: StoredLayout): Promise<void>
  /** Warnings about how the server is configured. Throws `MillraceError('eviction_policy' | 'authentication_failed')`. */
  verify(): Promise<string[]>
  isReachable(): boolean
  close(): Promise<void>
}
