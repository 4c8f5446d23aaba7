/** The Lua scripts, as commands of a connection. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Command, type Redis } from 'ioredis'
import type { Without } from '../engine/index.js'
import { encodeCommand } from './resp.js'

const files = {
  commitBatch: 'commit',
  acquirePartition: 'acquire',
  renewPartition: 'renew',
  releasePartition: 'release',
  acceptLoss: 'accept',
  sealPartition: 'seal',
  dropPartition: 'drop',
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
  const commands = Object.entries(scripts).map(([name, lua]) => [name, scriptOf(redis, lua)])
  return Object.assign(redis, Object.fromEntries(commands) as Record<Name, Script>)
}

/** Runs a script by its text the first time on a connection, by its hash from then on, and by its text where the hash is not known. */
function scriptOf(redis: Redis, lua: string): Script {
  const hash = createHash('sha1').update(lua).digest('hex')
  let sentOn: unknown
  const send = (name: string, source: string, given: readonly (string | number | Buffer)[]): Promise<unknown> =>
    redis.sendCommand(new EncodedCommand(name, encodeCommand([name, source, ...given]))) as Promise<unknown>
  return (...given) => {
    if (redis.stream !== sentOn) {
      sentOn = redis.stream
      return send('eval', lua, given)
    }
    return send('evalsha', hash, given).catch((error: unknown) => {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      // It has not run.
      return send('eval', lua, given)
    })
  }
}

/** A command that is written as it is. */
class EncodedCommand extends Command {
  constructor(
    name: string,
    private readonly bytes: Buffer,
  ) {
    super(name, [], { replyEncoding: 'utf8' })
  }

  override toWritable(): Buffer {
    return this.bytes
  }
}
