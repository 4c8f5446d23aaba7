/** The stores under the conformance suites, and commits to try on them. */
import type { Test } from 'tap'
import type { Commit, PartitionMeta, ProfileStore } from '../../engine/index.js'
import { MemoryStore } from '../../profiles/memory-store.js'
import { RedisStore } from '../../profiles/redis-store.js'
import { startRedisCluster } from '../support/redis-cluster.js'
import { startRedisSentinels } from '../support/redis-sentinel.js'
import { startRedis } from '../support/servers.js'

/** A store and how to come by one. */
export interface Kind {
  readonly name: string
  /** Gives stores over nothing; each call a place of its own. */
  readonly prepare: (t: Test) => Promise<() => ProfileStore>
}

/** Every store there is. */
export const kinds: readonly Kind[] = [
  { name: 'memory store', prepare: async () => () => new MemoryStore() },
  {
    name: 'redis store',
    prepare: async t => {
      const { url } = await startRedis(t)
      let count = 0
      return () => new RedisStore({ url }, `pipeline-${++count}`)
    },
  },
  {
    name: 'redis store under Sentinel',
    prepare: async t => {
      const { addresses: sentinels, master } = await startRedisSentinels(t)
      let count = 0
      return () => new RedisStore({ sentinels, master }, `pipeline-${++count}`)
    },
  },
  {
    name: 'redis store on a cluster',
    prepare: async t => {
      const { addresses: cluster } = await startRedisCluster(t)
      let count = 0
      return () => new RedisStore({ cluster }, `pipeline-${++count}`)
    },
  },
]

const nothing: Omit<Commit, 'token' | 'commitId' | 'previousPosition' | 'previousCommitId'> = {
  meta: {},
  profiles: [],
  profileTtlMs: undefined,
  timers: [],
  memory: [],
  outbox: [],
  trim: 0,
}

/** For what a store keeps. */
export const bytes = (text: string) => Buffer.from(text)

/** The next commit after `meta`, named `id`. */
export function next(meta: PartitionMeta, id: string, writes: Partial<Commit> = {}): Commit {
  const { token, position, commitId } = meta
  return { ...nothing, token, commitId: id, previousPosition: position, previousCommitId: commitId, ...writes }
}

/** A commit that writes to every place. */
export const oneOfEach = {
  meta: { position: 7, lastSeq: 6, ordinal: 2, now: 1_700_000_000_123, anchor: '7:1700000000123:ab' },
  profiles: [
    { key: 'ada', bytes: bytes('A1') },
    { key: 'bob', bytes: bytes('B1') },
  ],
  timers: [{ key: 'ada', dueAt: 500 }],
  memory: [{ stage: 'dedupe', bucket: 3, bytes: bytes('12345678') }],
  outbox: [bytes('first'), bytes('second')],
} satisfies Partial<Commit>

/** A connected store over nothing, closed at the test's end. */
export async function open(t: Test, place: () => ProfileStore): Promise<ProfileStore> {
  const store = place()
  t.teardown(() => store.close())
  await store.verify()
  return store
}
