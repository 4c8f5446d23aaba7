/** Rules between settings, and bounds that an option's kind cannot say. */
import type { Problems } from '../problems.js'
import type { Config } from './schema.js'

const tls = ['nats', 'redis'] as const

/** Settings that failed their own check are `undefined` here and skipped: their problem has been said. */
export function verifyConfig(config: Config, problems: Problems): void {
  const { nats, retention, lease } = config
  if ((nats.user === undefined) !== (nats.password === undefined)) {
    problems.add('nats.user', 'and nats.password must be given together')
  }
  const identities = [nats.user, nats.token, nats.credentials].filter(identity => identity !== undefined)
  if (identities.length > 1) problems.add('nats', 'must have only one of user, token and credentials')
  verifyRedis(config.redis, problems)
  for (const peer of tls) {
    if ((config[peer].tls.cert === undefined) !== (config[peer].tls.key === undefined)) {
      problems.add(`${peer}.tls.cert`, `and ${peer}.tls.key must be given together`)
    }
  }
  verifyStreams(config.streams, problems)
  if (retention.keep < retention.minimum) problems.add('retention.keep', 'must be at least retention.minimum')
  // An owner renews several times per TTL; below a second a pause of the garbage collector would cost the partition.
  if (lease.ttl < 1000) problems.add('lease.ttl', 'must be at least "1s"')
  const positive = {
    'batch.maxBytes': config.batch.maxBytes,
    'cache.maxBytes': config.cache.maxBytes,
    'outbox.maxBytes': config.outbox.maxBytes,
    'retention.minimum': retention.minimum,
    'shutdown.deadline': config.shutdown.deadline,
  }
  for (const [path, value] of Object.entries(positive)) {
    if (value === 0) problems.add(path, 'must be more than zero')
  }
}

function verifyRedis(
  { url, sentinels, cluster, master, sentinelPassword, addressMap }: Config['redis'],
  problems: Problems,
): void {
  if ([url, sentinels, cluster].filter(place => place !== undefined).length > 1) {
    problems.add('redis', 'must have only one of url, sentinels and cluster')
  } else if ((sentinels === undefined) !== (master === undefined)) {
    problems.add('redis.sentinels', 'and redis.master must be given together')
  } else if (sentinelPassword !== undefined && sentinels === undefined) {
    problems.add('redis.sentinelPassword', 'needs redis.sentinels')
  } else if (addressMap !== undefined && sentinels === undefined && cluster === undefined) {
    problems.add('redis.addressMap', 'needs redis.sentinels or redis.cluster: nobody else announces addresses')
  }
  const announced = addressMap?.map(pair => pair.split('=')[0]!) ?? []
  const twice = announced.find((address, at) => announced.indexOf(address) < at)
  if (twice !== undefined) problems.add('redis.addressMap', 'must have each announced address once', twice)
}

/** Reserved for Millrace's own record of each partition's state. */
const ledger = 'millrace'

function verifyStreams(streams: Config['streams'], problems: Problems): void {
  const taken = new Map([[ledger, 'the stream that Millrace keeps its own records in']])
  for (const [role, name] of Object.entries(streams)) {
    if (name === undefined) continue
    // Also a subject token and a part of file names on the server.
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
      problems.add(`streams.${role}`, 'must be 1 to 64 letters, digits, "_" or "-"', name)
      continue
    }
    const other = taken.get(name.toLowerCase())
    if (other !== undefined) problems.add(`streams.${role}`, `must differ from ${other}, also in lower case`, name)
    taken.set(name.toLowerCase(), `streams.${role}`)
  }
}
