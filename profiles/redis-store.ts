/**
 * The profile store on Redis. Three connections: commits (one script call a batch), reads, and lease renewals, so that a large
 * read never delays a renewal.
 */
import type { Redis } from 'ioredis'
import {
  MillraceError,
  withoutNothing,
  type Claim,
  type Commit,
  type CommitOutcome,
  type MemoryBucket,
  type PartitionMeta,
  type ProfileStore,
  type SealOutcome,
  type StoredLayout,
  type Timer,
  type Without,
} from '../engine/index.js'
import { clearPartitions } from './redis-clear.js'
import { commitArguments } from './redis-commit.js'
import { RedisKeys } from './redis-keys.js'
import type { RedisLink } from './redis-link.js'
import { parseMeta } from './redis-meta.js'
import { openLink } from './redis-open.js'
import { readScripts } from './redis-scripts.js'
import type { RedisSettings } from './redis-settings.js'

/** Redis deletes a profile this long after its time to live, so that an outage of this length cannot make a replay differ. */
const garbageMs = 30 * 86_400_000

export class RedisStore implements ProfileStore {
  readonly #keys: RedisKeys
  readonly #commits: RedisLink
  readonly #reads: RedisLink
  readonly #leases: RedisLink

  /** `timeoutMs` bounds every command. `without` is for tests only; `origin` lends its connections to another generation. */
  constructor(
    private readonly settings: RedisSettings,
    private readonly pipeline: string,
    timeoutMs = 5_000,
    without: Without = withoutNothing,
    private readonly generation = 1,
    origin?: RedisStore,
  ) {
    this.#keys = new RedisKeys(pipeline, generation)
    if (origin !== undefined) {
      this.#commits = origin.#commits
      this.#reads = origin.#reads
      this.#leases = origin.#leases
      return
    }
    const options = {
      timeoutMs: without.has('strict_redis') ? Infinity : timeoutMs,
      scripts: readScripts(without),
    }
    this.#commits = openLink(settings, { ...options, name: 'commits' })
    this.#reads = openLink(settings, { ...options, name: 'reads' })
    this.#leases = openLink(settings, { ...options, name: 'leases' })
  }

  at(generation: number): RedisStore {
    if (generation === this.generation) return this
    return new RedisStore(this.settings, this.pipeline, undefined, undefined, generation, this)
  }

  async verify(): Promise<string[]> {
    await Promise.all([this.#commits, this.#reads, this.#leases].map(link => link.connect()))
    const warnings: string[] = []
    for (const [name, info] of await this.#reads.onEveryMaster('read INFO', redis => redis.info())) {
      const field = (name: string): string => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1] ?? ''
      const policy = field('maxmemory_policy')
      if (policy !== 'noeviction') {
        throw new MillraceError('eviction_policy', `${name} maxmemory-policy must be "noeviction", got "${policy}"`)
      }
      if (field('aof_enabled') !== '1') {
        warnings.push(`${name} runs without appendonly: a restart goes back to the last snapshot`)
      }
    }
    return warnings
  }

  async acquire(partition: number, { id, stateId, expected, replica }: Claim): Promise<PartitionMeta | undefined> {
    const key = this.#keys.meta(partition)
    const flat = (await this.#leases.run(key, 'acquire', redis =>
      redis.acquirePartition(1, key, id, stateId, expected, replica),
    )) as string[]
    const fields: Record<string, string> = {}
    for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i]!] = flat[i + 1]!
    return parseMeta(fields)
  }

  async release(partition: number, token: string): Promise<'ok' | 'fenced'> {
    const key = this.#keys.meta(partition)
    const reply = await this.#leases.run(key, 'release', redis => redis.releasePartition(1, key, token))
    return reply === 'OK' ? 'ok' : 'fenced'
  }

  async readMeta(partition: number): Promise<PartitionMeta | undefined> {
    const key = this.#keys.meta(partition)
    return parseMeta(await this.#leases.run(key, 'read meta', redis => redis.hgetall(key)))
  }

  async renew(partition: number, token: string, commitId: string): Promise<CommitOutcome> {
    const key = this.#keys.meta(partition)
    const reply = await this.#leases.run(key, 'renew', redis => redis.renewPartition(1, key, token, commitId))
    return outcomeOf(reply, 'renew')
  }

  async accept(partition: number, reason: string): Promise<boolean> {
    const key = this.#keys.meta(partition)
    return (await this.#leases.run(key, 'accept', redis => redis.acceptLoss(1, key, reason))) === 1
  }

  async seal(partition: number, insists: boolean): Promise<SealOutcome> {
    const key = this.#keys.meta(partition)
    const timers = this.#keys.timers(partition)
    const reply = await this.#leases.run(key, 'seal', redis => redis.sealPartition(2, key, timers, insists ? '1' : '0'))
    return String(reply).toLowerCase() as SealOutcome
  }

  async drop(partition: number): Promise<boolean> {
    const key = this.#keys.meta(partition)
    return (await this.#leases.run(key, 'drop', redis => redis.dropPartition(1, key))) === 1
  }

  async clear(): Promise<number> {
    const count = await clearPartitions(this.#reads, this.#keys)
    for (const key of [this.#keys.layouts(), this.#keys.members()]) {
      await this.#reads.run(key, 'clear', redis => redis.unlink(key))
    }
    return count
  }

  async forget(partition: number): Promise<void> {
    const key = this.#keys.meta(partition)
    await this.#leases.run(key, 'forget', redis => redis.del(key))
  }

  async commit(partition: number, commit: Commit): Promise<CommitOutcome> {
    const args = commitArguments(this.#keys, partition, commit, garbageMs)
    const reply = await this.#commits.run(this.#keys.meta(partition), 'commit', redis => {
      corkForThisTurn(redis)
      return redis.commitBatch(...args)
    })
    return outcomeOf(reply, 'commit')
  }

  async load(partition: number, keys: readonly string[]): Promise<(Buffer | undefined)[]> {
    const names = keys.map(key => this.#keys.profile(partition, key))
    const found = await this.#readAll(names, 'load profiles')
    return found.map(bytes => bytes ?? undefined)
  }

  async timers(partition: number, from: number, upTo: number, limit: number): Promise<Timer[]> {
    const key = this.#keys.timers(partition)
    const flat = await this.#reads.run(key, 'load timers', redis =>
      redis.zrange(key, from, upTo, 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES'),
    )
    const timers: Timer[] = []
    for (let i = 0; i + 1 < flat.length; i += 2) timers.push({ key: flat[i]!, dueAt: Number(flat[i + 1]) })
    return timers
  }

  async memory(partition: number, stage: string, fromBucket: number, toBucket: number): Promise<MemoryBucket[]> {
    const buckets: number[] = []
    for (let bucket = fromBucket; bucket <= toBucket; bucket++) buckets.push(bucket)
    const names = buckets.map(bucket => this.#keys.memory(partition, stage, bucket))
    const found = await this.#readAll(names, 'load memory')
    return found.flatMap((bytes, i) => (bytes === null ? [] : [{ bucket: buckets[i]!, bytes }]))
  }

  outbox(partition: number): Promise<Buffer[]> {
    const key = this.#keys.outbox(partition)
    return this.#reads.run(key, 'load outbox', redis => redis.lrangeBuffer(key, 0, -1))
  }

  async tokenRead(partition: number): Promise<string> {
    const key = this.#keys.meta(partition)
    return (await this.#reads.run(key, 'read token', redis => redis.hget(key, 'token'))) ?? ''
  }

  async layouts(): Promise<StoredLayout[]> {
    const key = this.#keys.layouts()
    const stored = await this.#reads.run(key, 'load layouts', redis => redis.hgetall(key))
    return Object.entries(stored).map(([id, json]) => ({ id: Number(id), json }))
  }

  async saveLayout({ id, json }: StoredLayout): Promise<void> {
    const key = this.#keys.layouts()
    await this.#leases.run(key, 'save layout', redis => redis.hset(key, String(id), json))
  }

  async beat(replica: string, sign: string): Promise<ReadonlyMap<string, string>> {
    const key = this.#keys.members()
    // In this order on one connection, and in one round trip.
    const [known] = await Promise.all([
      this.members(),
      this.#leases.run(key, 'beat', redis => redis.hset(key, replica, sign)),
    ])
    return known
  }

  async members(): Promise<ReadonlyMap<string, string>> {
    const key = this.#keys.members()
    return new Map(Object.entries(await this.#leases.run(key, 'read members', redis => redis.hgetall(key))))
  }

  async leave(replica: string, sign: string): Promise<void> {
    const key = this.#keys.members()
    await this.#leases.run(key, 'leave', redis => redis.leaveMembers(1, key, replica, sign))
  }

  isReachable(): boolean {
    return this.#commits.isReady && this.#reads.isReady && this.#leases.isReady
  }

  close(): Promise<void> {
    for (const link of [this.#commits, this.#reads, this.#leases]) link.close()
    return Promise.resolve()
  }

  /** Values of keys that share a slot, in their order. */
  async #readAll(names: readonly string[], doing: string): Promise<(Buffer | null)[]> {
    const [first] = names
    if (first === undefined) return []
    return this.#reads.run(first, doing, redis => {
      corkForThisTurn(redis)
      return redis.mgetBuffer([...names])
    })
  }
}

function outcomeOf(reply: unknown, doing: string): CommitOutcome {
  switch (reply) {
    case 'OK':
    case 'DUPLICATE':
      return 'ok'
    case 'FENCED':
      return 'fenced'
    case 'CONFLICT':
      return 'conflict'
    default:
      throw new MillraceError('redis_unavailable', `${doing}: unknown reply ${JSON.stringify(reply)}`)
  }
}

/**
 * Several partitions load and commit when one chunk of the broker's socket has brought events for each: one write to Redis takes
 * them all. Writing to a socket is most of what a small command costs here.
 */
function corkForThisTurn({ stream }: Redis): void {
  // Undefined until the first connection; corked already by another partition in this turn.
  if (stream === undefined || stream.writableCorked > 0) return
  stream.cork()
  setImmediate(() => stream.uncork())
}
