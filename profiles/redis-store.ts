/**
 * The profile store on Redis. Three connections: commits (one script call a batch), reads, and lease renewals, so that a large
 * read never delays a renewal.
 */
import { readFileSync } from 'node:fs'
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
  type StoredLayout,
  type Timer,
  type Without,
} from '../engine/index.js'
import { commitArguments } from './redis-commit.js'
import { openRedis, redisError, withTimeout, type RedisSettings } from './redis-connection.js'
import { RedisKeys } from './redis-keys.js'
import { parseMeta } from './redis-meta.js'

/** Redis deletes a profile this long after its time to live, so that an outage of this length cannot make a replay differ. */
const garbageMs = 30 * 86_400_000

type Script = (...args: (string | number | Buffer)[]) => Promise<unknown>
interface Scripts {
  commitBatch: Script
  acquirePartition: Script
  renewPartition: Script
  releasePartition: Script
  leaveMembers: Script
  acceptLoss: Script
}

export class RedisStore implements ProfileStore {
  readonly #keys: RedisKeys
  readonly #commits: Redis & Scripts
  readonly #reads: Redis
  readonly #leases: Redis & Scripts

  /** `timeoutMs` bounds every command. `without` is for tests only. */
  constructor(
    settings: RedisSettings,
    pipeline: string,
    private readonly timeoutMs = 5_000,
    without: Without = withoutNothing,
  ) {
    this.#keys = new RedisKeys(pipeline)
    this.#commits = withScripts(openRedis(settings, 'commits'), without)
    this.#reads = openRedis(settings, 'reads')
    this.#leases = withScripts(openRedis(settings, 'leases'), without)
  }

  async verify(): Promise<string[]> {
    const connections = [this.#commits, this.#reads, this.#leases]
    await Promise.all(connections.filter(redis => redis.status === 'wait').map(redis => this.#connect(redis)))
    const info = await this.#run(this.#reads, 'read INFO', this.#reads.info())
    const field = (name: string): string => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1] ?? ''
    const policy = field('maxmemory_policy')
    if (policy !== 'noeviction') {
      throw new MillraceError('eviction_policy', `Redis maxmemory-policy must be "noeviction", got "${policy}"`)
    }
    return field('aof_enabled') === '1'
      ? []
      : ['Redis runs without appendonly: a restart loses profiles since the last snapshot']
  }

  async acquire(partition: number, { id, stateId, expected, replica }: Claim): Promise<PartitionMeta | undefined> {
    const reply = this.#leases.acquirePartition(1, this.#keys.meta(partition), id, stateId, expected, replica)
    const flat = (await this.#run(this.#leases, 'acquire', reply)) as string[]
    const fields: Record<string, string> = {}
    for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i]!] = flat[i + 1]!
    return parseMeta(fields)
  }

  async release(partition: number, token: string): Promise<'ok' | 'fenced'> {
    const reply = this.#leases.releasePartition(1, this.#keys.meta(partition), token)
    return (await this.#run(this.#leases, 'release', reply)) === 'OK' ? 'ok' : 'fenced'
  }

  async readMeta(partition: number): Promise<PartitionMeta | undefined> {
    return parseMeta(await this.#run(this.#leases, 'read meta', this.#leases.hgetall(this.#keys.meta(partition))))
  }

  async renew(partition: number, token: string, commitId: string): Promise<CommitOutcome> {
    const reply = this.#leases.renewPartition(1, this.#keys.meta(partition), token, commitId)
    return outcomeOf(await this.#run(this.#leases, 'renew', reply), 'renew')
  }

  async accept(partition: number, reason: string): Promise<boolean> {
    const reply = this.#leases.acceptLoss(1, this.#keys.meta(partition), reason)
    return (await this.#run(this.#leases, 'accept', reply)) === 1
  }

  async commit(partition: number, commit: Commit): Promise<CommitOutcome> {
    const args = commitArguments(this.#keys, partition, commit, garbageMs)
    corkForThisTurn(this.#commits)
    const reply = await this.#run(this.#commits, 'commit', this.#commits.commitBatch(...args))
    return outcomeOf(reply, 'commit')
  }

  async load(partition: number, keys: readonly string[]): Promise<(Buffer | undefined)[]> {
    if (keys.length === 0) return []
    const names = keys.map(key => this.#keys.profile(partition, key))
    const found = await this.#run(this.#reads, 'load profiles', this.#reads.mgetBuffer(names))
    return found.map(bytes => bytes ?? undefined)
  }

  async timers(partition: number, after: number, upTo: number, limit: number): Promise<Timer[]> {
    const key = this.#keys.timers(partition)
    const range = this.#reads.zrange(key, `(${after}`, upTo, 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES')
    const flat = await this.#run(this.#reads, 'load timers', range)
    const timers: Timer[] = []
    for (let i = 0; i + 1 < flat.length; i += 2) timers.push({ key: flat[i]!, dueAt: Number(flat[i + 1]) })
    return timers
  }

  async memory(partition: number, stage: string, fromBucket: number, toBucket: number): Promise<MemoryBucket[]> {
    const buckets: number[] = []
    for (let bucket = fromBucket; bucket <= toBucket; bucket++) buckets.push(bucket)
    if (buckets.length === 0) return []
    const names = buckets.map(bucket => this.#keys.memory(partition, stage, bucket))
    const found = await this.#run(this.#reads, 'load memory', this.#reads.mgetBuffer(names))
    return found.flatMap((bytes, i) => (bytes === null ? [] : [{ bucket: buckets[i]!, bytes }]))
  }

  outbox(partition: number): Promise<Buffer[]> {
    return this.#run(this.#reads, 'load outbox', this.#reads.lrangeBuffer(this.#keys.outbox(partition), 0, -1))
  }

  async layouts(): Promise<StoredLayout[]> {
    const stored = await this.#run(this.#reads, 'load layouts', this.#reads.hgetall(this.#keys.layouts()))
    return Object.entries(stored).map(([id, json]) => ({ id: Number(id), json }))
  }

  async saveLayout({ id, json }: StoredLayout): Promise<void> {
    await this.#run(this.#leases, 'save layout', this.#leases.hset(this.#keys.layouts(), String(id), json))
  }

  async beat(replica: string, sign: string): Promise<ReadonlyMap<string, string>> {
    const key = this.#keys.members()
    const known = await this.#run(this.#leases, 'read members', this.#leases.hgetall(key))
    await this.#run(this.#leases, 'beat', this.#leases.hset(key, replica, sign))
    return new Map(Object.entries(known))
  }

  async leave(replica: string, sign: string): Promise<void> {
    await this.#run(this.#leases, 'leave', this.#leases.leaveMembers(1, this.#keys.members(), replica, sign))
  }

  isReachable(): boolean {
    return this.#commits.status === 'ready' && this.#reads.status === 'ready' && this.#leases.status === 'ready'
  }

  close(): Promise<void> {
    for (const redis of [this.#commits, this.#reads, this.#leases]) redis.disconnect()
    return Promise.resolve()
  }

  async #connect(redis: Redis): Promise<void> {
    // The client reports a refused login only as an event; the promise of connect() tells of a closed connection.
    let reported: unknown
    const remember = (error: unknown): void => {
      reported = error
    }
    redis.on('error', remember)
    try {
      await redis.connect()
    } catch (error) {
      throw redisError(reported ?? error, 'cannot connect to Redis')
    } finally {
      redis.off('error', remember)
    }
  }

  #run<T>(redis: Redis, doing: string, command: Promise<T>): Promise<T> {
    return withTimeout(redis, this.timeoutMs, doing, command)
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
 * Several partitions commit when one chunk of the broker's socket has brought events for each: one write to Redis takes them
 * all. Writing to a socket is most of what a small commit costs here.
 */
function corkForThisTurn({ stream }: Redis): void {
  // Undefined until the first connection; corked already by another partition in this turn.
  if (stream === undefined || stream.writableCorked > 0) return
  stream.cork()
  setImmediate(() => stream.uncork())
}

const scripts = {
  commitBatch: 'commit',
  acquirePartition: 'acquire',
  renewPartition: 'renew',
  releasePartition: 'release',
  acceptLoss: 'accept',
  leaveMembers: 'leave',
} as const satisfies Record<keyof Scripts, string>

function withScripts(redis: Redis, without: Without): Redis & Scripts {
  for (const [command, file] of Object.entries(scripts)) {
    let lua = readFileSync(new URL(`./${file}.lua`, import.meta.url), 'utf8')
    for (const protection of without) lua = lua.replace(protectedBlock(protection), '')
    redis.defineCommand(command, { lua })
  }
  // defineCommand adds methods that the client's types cannot know.
  return redis as Redis & Scripts
}

/** The lines of a script that a protection consists of. */
function protectedBlock(protection: string): RegExp {
  return new RegExp(`^-- protection: ${protection}\\n[^]*?^-- end\\n`, 'gm')
}
