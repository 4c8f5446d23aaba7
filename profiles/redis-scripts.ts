/** The Lua scripts, as commands of a connection. */
import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'
import type { Without } from '../engine/index.js'

const files = {
  commitBatch: 'commit',
  acquirePartition: 'acquire',
  renewPartition: 'renew',
  releasePartition: 'release',
  acceptLoss: 'accept',
  sealPartition: 'seal',
  leaveMembers: 'leave',
} as const

type Name = keyof typeof files
type Script = (...args: (string | number | Buffer)[]) => Promise<unknown>

/** Source by command. */
export type Scripts = Readonly<Record<Name, string>>

/** A connection that knows the scripts; each file's header names its keys, arguments and reply. */
export type ScriptedRedis = Redis & Record<Name, Script>

/** Reads the scripts. `without` leaves protections out, for tests only. */
export function readScripts(without: Without): Scripts {
  const read = ([command, file]: [string, string]) => {
    let source = readFileSync(new URL(`./${file}.lua`, import.meta.url), 'utf8')
    for (const protection of without) source = source.replace(protectedBlock(protection), '')
    return [command, source]
  }
  return Object.fromEntries(Object.entries(files).map(read)) as Scripts
}

/** The lines of a script that a protection consists of. */
function protectedBlock(protection: string): RegExp {
  return new RegExp(`^-- protection: ${protection}\\n[^]*?^-- end\\n`, 'gm')
}

/** Adds the scripts to a connection; the server learns each when it is first used. */
export function withScripts(redis: Redis, scripts: Scripts): ScriptedRedis {
  for (const [command, lua] of Object.entries(scripts)) redis.defineCommand(command, { lua })
  // defineCommand adds methods that the client's types cannot know.
  return redis as ScriptedRedis
}
