/** What a replica knows of its master, and how to make it fall behind: failovers then lose what it has not seen. */
import { Redis } from 'ioredis'
import { eventually } from './eventually.js'
import type { TestScope } from './servers.js'

/** A connection to one server of several, closed at the test's end. Rejects within seconds what the server does not answer. */
export function serverClient(t: TestScope, url: string): Redis {
  const redis = new Redis(url, { commandTimeout: 3_000, maxRetriesPerRequest: 0, retryStrategy: () => 50 })
  redis.on('error', () => {}) // the test may stop the server
  t.teardown(() => redis.disconnect())
  return redis
}

/**
 * Cuts the replica from its master, which notices nothing else: it tries again every second and is refused each time. What is
 * written from now on is lost when this replica is promoted, and nothing before: a master sends a new replica what is written
 * after its copy only when it has heard from it, up to a second after the link stands.
 */
export async function stopReplication(replica: Redis, master: Redis): Promise<void> {
  const offset = Number(await field(master, 'master_repl_offset'))
  await eventually('the replica has all until now', async () => {
    return Number(await field(replica, 'slave_repl_offset')) >= offset
  })
  // A password that the master, which has none, refuses.
  await replica.config('SET', 'masterauth', 'refused')
  await replica.client('KILL', 'TYPE', 'master')
  await eventually('the replica is cut off', async () => (await field(replica, 'master_link_status')) === 'down')
}

/** A cut replica may follow its master again; one that was promoted meanwhile may follow another. */
export async function allowReplication(replica: Redis): Promise<void> {
  await replica.config('SET', 'masterauth', '')
}

/** Resolves when the server follows a master and has all that the master had when it was last heard. */
export async function followsMaster(replica: Redis): Promise<void> {
  await eventually('the replica follows', async () => (await field(replica, 'master_link_status')) === 'up')
}

/** `master` or `slave`, as the server sees itself. */
export async function roleOf(redis: Redis): Promise<string> {
  return field(redis, 'role')
}

/** One field of the replication section. */
async function field(redis: Redis, name: string): Promise<string> {
  const section = await redis.info('replication')
  return new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(section)?.[1] ?? ''
}
