/**
 * Real servers for a test, private and gone with it. The programs are those that `millrace demo` finds, so
 * MILLRACE_NATS_SERVER and MILLRACE_REDIS_SERVER run the same tests against other versions.
 */
import { LocalNats, type LocalNatsOptions } from '../../engine/cli/local/nats.js'
import { LocalRedis, type LocalRedisOptions } from '../../engine/cli/local/redis.js'
import {
  type LocalServers,
  type LocalServersOptions,
  makeFolder,
  removeFolder,
  startLocalServers,
} from '../../engine/cli/local/servers.js'

/** The part of a tap test that these helpers need. */
export interface TestScope {
  teardown(close: () => unknown): void
}

/** NATS with JetStream and Redis, stopped at the test's end whatever the test has done to them. */
export async function startServers(t: TestScope, options: LocalServersOptions = {}): Promise<LocalServers> {
  const servers = await startLocalServers(options)
  t.teardown(() => servers.stop())
  return servers
}

/** NATS alone. */
export async function startNats(t: TestScope, options: Omit<LocalNatsOptions, 'folder'> = {}): Promise<LocalNats> {
  return startOne(t, folder => LocalNats.start({ ...options, folder }))
}

/** Redis alone. */
export async function startRedis(t: TestScope, options: Omit<LocalRedisOptions, 'folder'> = {}): Promise<LocalRedis> {
  return startOne(t, folder => LocalRedis.start({ ...options, folder }))
}

async function startOne<Server extends { stop(): Promise<void> }>(
  t: TestScope,
  start: (folder: string) => Promise<Server>,
): Promise<Server> {
  const server = await start(await temporaryFolder(t))
  t.teardown(() => server.stop())
  return server
}

/** Removed at the test's end, behind whatever is started in it: teardowns run in reverse. */
export async function temporaryFolder(t: TestScope): Promise<string> {
  const folder = await makeFolder()
  t.teardown(() => removeFolder(folder))
  return folder
}
