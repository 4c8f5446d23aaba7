/** Hands on a private Redis: commands besides the store's, and copies of its files, as backups and failovers make them. */
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Cluster, Redis } from 'ioredis'
import type { LocalRedis } from '../../engine/cli/local/servers.js'
import { eventually } from './eventually.js'
import type { TestScope } from './servers.js'

/** A connection for commands of the test, closed at its end. */
export function redisClient(t: TestScope, url: string): Redis {
  const redis = new Redis(url)
  redis.on('error', () => {}) // the test may stop the server
  t.teardown(() => redis.disconnect())
  return redis
}

/** Everything gone, as after FLUSHALL by mistake. */
export async function flushRedis(t: TestScope, url: string): Promise<void> {
  await redisClient(t, url).flushall()
}

/** Changes what is stored about a partition, as a restored backup or a bug would. */
export async function editMeta(
  t: TestScope,
  url: string,
  pipeline: string,
  partition: number,
  fields: Readonly<Record<string, string | number>>,
): Promise<void> {
  await redisClient(t, url).hset(`mr:{${pipeline}:${partition}}:meta`, fields)
}

/** Keeps the files as they are now, below the folder of this name beside them; the server is away meanwhile. Gives where they are. */
export async function backUp(redis: LocalRedis, name: string): Promise<string> {
  await redis.stop()
  const backup = join(redis.folder, name, appendOnly)
  await cp(join(redis.folder, appendOnly), backup, { recursive: true })
  await redis.start()
  return backup
}

/** Brings the server back with older files. */
export async function restore(redis: LocalRedis, backup: string): Promise<void> {
  await replaceFiles(redis, backup, appendOnly)
  await redis.start()
}

/** Has the running server save what it holds now, and keeps that file like `backUp`. Gives where it is. */
export async function takeSnapshot(redis: LocalRedis, client: Redis | Cluster, name: string): Promise<string> {
  await client.bgsave()
  await untilPersistence(client, ['rdb_bgsave_in_progress:0', 'rdb_last_bgsave_status:ok'])
  const backup = join(redis.folder, name, snapshot)
  await cp(join(redis.folder, snapshot), backup)
  return backup
}

/** Brings the server back with an older snapshot, in the steps of the runbook; `client` finds it again by itself. */
export async function restoreSnapshot(redis: LocalRedis, client: Redis | Cluster, backup: string): Promise<void> {
  await replaceFiles(redis, backup, snapshot)
  // With append-only files switched on it would not look at the snapshot.
  await redis.start('--appendonly', 'no')
  await client.config('SET', 'appendonly', 'yes')
  await untilPersistence(client, rewritten)
  await redis.restart()
}

/** What `INFO persistence` shows once all that Redis holds is in append-only files. */
export const rewritten = ['aof_rewrite_scheduled:0', 'aof_rewrite_in_progress:0', 'aof_last_bgrewrite_status:ok']

const appendOnly = 'appendonlydir'
const snapshot = 'dump.rdb'

/** Puts the backup in place of the append-only files, under this name. The server is away then. */
async function replaceFiles(redis: LocalRedis, backup: string, name: string): Promise<void> {
  await redis.kill()
  await rm(join(redis.folder, appendOnly), { recursive: true })
  await cp(backup, join(redis.folder, name), { recursive: true })
}

async function untilPersistence(client: Redis | Cluster, lines: readonly string[]): Promise<void> {
  const what = `INFO persistence shows ${lines.join(', ')}`
  const probe = async () => {
    const info = await client.info('persistence')
    return lines.every(line => info.includes(line))
  }
  // Writing everything anew takes a while on a machine that has other work.
  await eventually(what, probe, { withinMs: 60_000 })
}
