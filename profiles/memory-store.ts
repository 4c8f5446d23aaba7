/** The profile store in process memory, for unit tests and the test driver; same rules as on Redis, nothing survives. */
import {
  freshMeta,
  type Claim,
  type Commit,
  type CommitOutcome,
  type MemoryBucket,
  type PartitionMeta,
  type ProfileStore,
  type SealOutcome,
  type StoredLayout,
  type Timer,
} from '../engine/index.js'

interface Partition {
  meta: PartitionMeta
  epoch: number
  readonly profiles: Map<string, Buffer>
  readonly timers: Map<string, number>
  readonly memory: Map<string, Map<number, Buffer>>
  outbox: Buffer[]
}

export class MemoryStore implements ProfileStore {
  readonly #partitions = new Map<number, Partition>()
  readonly #members = new Map<string, string>()
  readonly #layouts = new Map<number, StoredLayout>()
  #generations = new Map<number, MemoryStore>([[1, this]])

  at(generation: number): MemoryStore {
    let store = this.#generations.get(generation)
    if (store === undefined) {
      store = new MemoryStore()
      store.#generations = this.#generations.set(generation, store)
    }
    return store
  }

  verify(): Promise<string[]> {
    return Promise.resolve([])
  }

  acquire(number: number, { id, stateId, expected, replica }: Claim): Promise<PartitionMeta | undefined> {
    let partition = this.#partitions.get(number)
    const token = partition?.meta.token ?? ''
    if (partition !== undefined && token.endsWith(`:${id}`)) return Promise.resolve(partition.meta)
    if (token !== expected || partition?.meta.phase === 'sealed') return Promise.resolve(undefined)
    if (partition === undefined) {
      partition = {
        meta: freshMeta(stateId),
        epoch: 0,
        profiles: new Map(),
        timers: new Map(),
        memory: new Map(),
        outbox: [],
      }
      this.#partitions.set(number, partition)
    }
    const { meta } = partition
    partition.meta = { ...meta, token: `${++partition.epoch}:${id}`, replica, renewals: meta.renewals + 1 }
    return Promise.resolve(partition.meta)
  }

  release(number: number, token: string): Promise<'ok' | 'fenced'> {
    const partition = this.#partitions.get(number)
    if (partition === undefined || partition.meta.token !== token) return Promise.resolve('fenced')
    partition.meta = { ...partition.meta, token: '', replica: '', renewals: partition.meta.renewals + 1 }
    return Promise.resolve('ok')
  }

  readMeta(number: number): Promise<PartitionMeta | undefined> {
    return Promise.resolve(this.#partitions.get(number)?.meta)
  }

  renew(number: number, token: string, commitId: string): Promise<CommitOutcome> {
    const partition = this.#partitions.get(number)
    if (partition === undefined || partition.meta.token !== token) return Promise.resolve('fenced')
    if (partition.meta.commitId !== commitId) return Promise.resolve('conflict')
    partition.meta = { ...partition.meta, renewals: partition.meta.renewals + 1 }
    return Promise.resolve('ok')
  }

  accept(number: number, reason: string): Promise<boolean> {
    const partition = this.#partitions.get(number)
    if (partition === undefined) return Promise.resolve(false)
    partition.meta = { ...partition.meta, accepted: reason }
    return Promise.resolve(true)
  }

  seal(number: number, insists: boolean): Promise<SealOutcome> {
    const partition = this.#partitions.get(number)
    if (partition === undefined) return Promise.resolve('absent')
    const { meta, timers } = partition
    if (meta.phase !== '') return Promise.resolve(meta.phase)
    if (!insists && [...timers.values()].some(dueAt => dueAt <= meta.now)) return Promise.resolve('busy')
    partition.meta = { ...meta, phase: 'sealed', token: '', replica: '', renewals: meta.renewals + 1 }
    return Promise.resolve('sealed')
  }

  drop(number: number): Promise<boolean> {
    const partition = this.#partitions.get(number)
    if (partition === undefined) return Promise.resolve(false)
    const { meta } = partition
    if (meta.phase !== 'building') return Promise.resolve(meta.phase === 'dropped')
    partition.meta = { ...meta, phase: 'dropped', token: '', replica: '', renewals: meta.renewals + 1 }
    return Promise.resolve(true)
  }

  clear(): Promise<number> {
    let count = 0
    for (const partition of this.#partitions.values()) {
      const { profiles, timers, memory, outbox } = partition
      const buckets = [...memory.values()].reduce((sum, { size }) => sum + size, 0)
      count += profiles.size + Math.min(timers.size, 1) + buckets + Math.min(outbox.length, 1)
      for (const part of [profiles, timers, memory]) part.clear()
      partition.outbox = []
    }
    this.#members.clear()
    this.#layouts.clear()
    return Promise.resolve(count)
  }

  forget(number: number): Promise<void> {
    this.#partitions.delete(number)
    return Promise.resolve()
  }

  commit(number: number, commit: Commit): Promise<CommitOutcome> {
    const partition = this.#partitions.get(number)
    if (partition === undefined || partition.meta.token !== commit.token) return Promise.resolve('fenced')
    const { meta } = partition
    if (meta.commitId === commit.commitId) return Promise.resolve('ok')
    if (meta.commitId !== commit.previousCommitId || meta.position !== commit.previousPosition) {
      return Promise.resolve('conflict')
    }
    partition.outbox = [...partition.outbox.slice(commit.trim), ...commit.outbox.map(entry => Buffer.from(entry))]
    for (const { key, bytes } of commit.profiles) {
      if (bytes === undefined) partition.profiles.delete(key)
      else partition.profiles.set(key, Buffer.from(bytes))
    }
    for (const { key, dueAt } of commit.timers) {
      if (dueAt === Infinity) partition.timers.delete(key)
      else partition.timers.set(key, dueAt)
    }
    for (const { stage, bucket, bytes } of commit.memory) {
      let buckets = partition.memory.get(stage)
      if (buckets === undefined) partition.memory.set(stage, (buckets = new Map<number, Buffer>()))
      if (bytes === undefined) buckets.delete(bucket)
      else buckets.set(bucket, Buffer.concat([buckets.get(bucket) ?? Buffer.alloc(0), bytes]))
    }
    partition.meta = { ...meta, ...commit.meta, commitId: commit.commitId, renewals: meta.renewals + 1 }
    return Promise.resolve('ok')
  }

  load(number: number, keys: readonly string[]): Promise<(Buffer | undefined)[]> {
    const profiles = this.#partitions.get(number)?.profiles
    return Promise.resolve(keys.map(key => profiles?.get(key)))
  }

  timers(number: number, from: number, upTo: number, limit: number): Promise<Timer[]> {
    const all = [...(this.#partitions.get(number)?.timers ?? [])].map(([key, dueAt]) => ({ key, dueAt }))
    const due = all.filter(({ dueAt }) => dueAt >= from && dueAt <= upTo)
    due.sort((a, b) => a.dueAt - b.dueAt || Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
    return Promise.resolve(due.slice(0, limit))
  }

  memory(number: number, stage: string, fromBucket: number, toBucket: number): Promise<MemoryBucket[]> {
    const buckets = [...(this.#partitions.get(number)?.memory.get(stage) ?? [])]
    const wanted = buckets.filter(([bucket]) => bucket >= fromBucket && bucket <= toBucket)
    return Promise.resolve(wanted.sort(([a], [b]) => a - b).map(([bucket, bytes]) => ({ bucket, bytes })))
  }

  tokenRead(number: number): Promise<string> {
    return Promise.resolve(this.#partitions.get(number)?.meta.token ?? '')
  }

  outbox(number: number): Promise<Buffer[]> {
    return Promise.resolve([...(this.#partitions.get(number)?.outbox ?? [])])
  }

  layouts(): Promise<StoredLayout[]> {
    return Promise.resolve([...this.#layouts.values()])
  }

  saveLayout(layout: StoredLayout): Promise<void> {
    this.#layouts.set(layout.id, layout)
    return Promise.resolve()
  }

  beat(replica: string, sign: string): Promise<ReadonlyMap<string, string>> {
    const before = new Map(this.#members)
    this.#members.set(replica, sign)
    return Promise.resolve(before)
  }

  members(): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map(this.#members))
  }

  leave(replica: string, sign: string): Promise<void> {
    if (this.#members.get(replica) === sign) this.#members.delete(replica)
    return Promise.resolve()
  }

  isReachable(): boolean {
    return true
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
