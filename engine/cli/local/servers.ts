/** A private NATS and a private Redis in one temporary folder, for the demo, the tests and the benchmarks. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LocalNats, type LocalNatsOptions } from './nats.js'
import { forgetFolder, removeAtExit } from './process.js'
import { LocalRedis, type LocalRedisOptions } from './redis.js'

export type { LocalNats, LocalRedis }

export interface LocalServersOptions {
  readonly nats?: Omit<LocalNatsOptions, 'folder'>
  readonly redis?: Omit<LocalRedisOptions, 'folder'>
  /** Told when something takes a while. */
  readonly say?: (line: string) => void
}

export interface LocalServers {
  readonly nats: LocalNats
  readonly redis: LocalRedis
  readonly folder: string
  /** Stops both and removes the folder. May be called twice. */
  stop(): Promise<void>
  /** Leaves both running, and the folder, when this process ends; `stop` then does nothing. */
  release(): void
}

/**
 * Resolves when both servers answer. They listen on the loopback interface only, on free ports. Without a `stop` they are
 * killed and the folder is removed when this process ends, by a signal or an error too.
 */
export async function startLocalServers(options: LocalServersOptions = {}): Promise<LocalServers> {
  const { say } = options
  const folder = await makeFolder()
  const [nats, redis] = await Promise.allSettled([
    LocalNats.start({ say, ...options.nats, folder }),
    LocalRedis.start({ say, ...options.redis, folder }),
  ])
  const started = [nats, redis].flatMap(server => (server.status === 'fulfilled' ? [server.value] : []))
  let isReleased = false
  const stop = async () => {
    if (isReleased) return
    await Promise.all(started.map(server => server.stop()))
    await removeFolder(folder)
  }
  if (nats.status === 'rejected' || redis.status === 'rejected') {
    await stop()
    throw nats.status === 'rejected' ? nats.reason : (redis as PromiseRejectedResult).reason
  }
  return {
    nats: nats.value,
    redis: redis.value,
    folder,
    stop,
    release: () => {
      isReleased = true
      for (const server of started) server.release()
      forgetFolder(folder)
    },
  }
}

/** A fresh folder with a short path, removed at the end of this process at the latest. */
export async function makeFolder(): Promise<string> {
  // A socket's path may have 107 bytes, and some systems have long names for temporary folders.
  const parent = tmpdir().length <= 60 ? tmpdir() : '/tmp'
  const folder = await mkdtemp(join(parent, 'millrace-'))
  removeAtExit(folder)
  return folder
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  forgetFolder(folder)
}
