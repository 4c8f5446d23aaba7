/** Hands on a private Redis: commands besides the store's, and copies of its files, as backups and failovers make them. */
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { LocalRedis } from '../../engine/cli/local/servers.js'
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

/** Keeps the files as they are now; the server is away meanwhile. Gives where they are. */
export async function backUp(redis: LocalRedis, name: string): Promise<string> {
  await redis.stop()
  const backup = join(redis.folder, `backup-${name}`)
  await cp(join(redis.folder, 'appendonlydir'), backup, { recursive: true })
  await redis.start()
  return backup
}

/** Brings the server back with older files. */
export async function restore(redis: LocalRedis, backup: string): Promise<void> {
  await redis.kill()
  const files = join(redis.folder, 'appendonlydir')
  await rm(files, { recursive: true })
  await cp(backup, files, { recursive: true })
  await redis.start()
}
