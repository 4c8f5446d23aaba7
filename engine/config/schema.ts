/**
 * Every setting, declared once. The declaration reads the file and the environment, validates, and writes
 * `docs/configuration.md`.
 */
import {
  bytes,
  duration,
  group,
  longestWait,
  oneOf,
  secret,
  text,
  texts,
  whole,
  type OptionSpec,
  type OptionSpecs,
  type OptionValues,
} from '../options.js'
import { Problems } from '../problems.js'

/** A file's path. Written in the configuration file it starts at that file's folder, otherwise at the working directory. */
export const pathKind = 'path'

/** Shown without the user and password that it may hold. */
export const addressKind = 'address'

function path<const Given extends { readonly doc: string; readonly optional?: boolean; readonly fallback?: string }>(
  given: Given,
): ReturnType<typeof text<Given>> {
  return { ...text(given), kind: pathKind }
}

/** A Redis address: what ioredis takes without guessing. Never says the value, which may hold a password. */
function redisAddress(given: { readonly doc: string }): OptionSpec<string | undefined, string, true> {
  return {
    ...text({ ...given, optional: true }),
    kind: addressKind,
    parse: (input, problems, at) => {
      if (typeof input === 'string' && isRedisAddress(input)) return input
      problems.add(at, 'must be redis://host:port, rediss://host:port or the path of a socket')
      return undefined
    },
  }
}

function isRedisAddress(input: string): boolean {
  if (input.startsWith('/')) return !input.startsWith('//')
  return /^rediss?:\/\//.test(input) && URL.canParse(input)
}

/** Servers by host and port alone. */
const hostPorts = (given: { readonly doc: string }) => addressList(given, 'list of host:port', isHostPort)

/** Pairs of servers, `announced=reached`. */
const hostPortPairs = (given: { readonly doc: string }) =>
  addressList(given, 'list of host:port=host:port', pair => {
    const sides = pair.split('=')
    return sides.length === 2 && sides.every(isHostPort)
  })

/** Never says the value: what was meant for a url may hold a password. */
function addressList(
  given: { readonly doc: string },
  kind: string,
  isValid: (entry: string) => boolean,
): OptionSpec<readonly string[] | undefined, string | readonly string[], true> {
  const list = texts({ ...given, optional: true })
  return {
    ...list,
    kind,
    parse: (input, problems, at) => {
      const entries = list.parse(input, new Problems(), at)
      if (entries?.every(isValid)) return entries
      problems.add(at, `must be a ${kind}`)
      return undefined
    },
  }
}

function isHostPort(address: string): boolean {
  const port = Number(/^(?:[^\s:/@,[\]]+|\[[\da-fA-F:.]+\]):(\d{1,5})$/.exec(address)?.[1])
  return port >= 1 && port <= 65_535
}

/** NATS addresses. The client ignores a user and password written here, so they are refused, and not repeated. */
function natsAddresses(given: {
  readonly doc: string
  readonly fallback: readonly string[]
}): OptionSpec<readonly string[], string | readonly string[], true> {
  const list = texts(given)
  return {
    ...list,
    kind: 'list of addresses',
    parse: (input, problems, at) => {
      const addresses = list.parse(input, new Problems(), at)
      if (addresses === undefined) problems.add(at, 'must be a list of addresses')
      else if (!addresses.some(address => address.includes('@'))) return addresses
      else problems.add(at, 'must not hold a user or password; there are nats.user and nats.password')
      return undefined
    },
  }
}

const tls = (peer: string) =>
  group(`TLS towards ${peer}; off unless one of these is set.`, {
    ca: path({
      doc: `Certificates of the authorities to trust, PEM. Any of the three switches TLS towards ${peer} on; for a public authority name the system's bundle.`,
      optional: true,
    }),
    cert: path({ doc: 'Own certificate, PEM.', optional: true }),
    key: path({ doc: 'Private key of the own certificate, PEM.', optional: true }),
  })

const streamName = (what: string, fallback: string) =>
  text({ doc: `Stream of ${what}; its subjects begin with the lower-cased name.`, fallback })

/** Each holds connections and tens of megabytes; far more than a machine has cores is a slip of the pen. */
export const maxProcesses = 64

export const configSchema = {
  pipeline: path({ doc: 'The definition, a TypeScript or JavaScript module.', fallback: 'pipeline.ts' }),
  generation: whole({
    doc: "Generation of the pipeline's state. A higher one is built from the stream beside the one before it, see the runbook.",
    min: 1,
    max: 9999,
    fallback: 1,
  }),
  provision: oneOf({
    doc: 'create: missing streams are created, existing ones verified. verify: only verified. off: neither.',
    of: ['create', 'verify', 'off'],
    fallback: 'create',
  }),
  replicas: whole({ doc: 'Replicas of streams that Millrace creates.', min: 1, max: 5, fallback: 1 }),
  processes: whole({
    doc: 'Engine processes that `millrace run` starts on this machine; they share the partitions.',
    min: 1,
    max: maxProcesses,
    fallback: 1,
  }),
  nats: group('The broker.', {
    servers: natsAddresses({ doc: 'Servers, host:port.', fallback: ['127.0.0.1:4222'] }),
    user: text({ doc: 'User name.', optional: true }),
    password: secret({ doc: 'Password of the user.', optional: true }),
    token: secret({ doc: 'Token, instead of user and password.', optional: true }),
    credentials: path({ doc: 'Credentials file (.creds), instead of user, password and token.', optional: true }),
    tls: tls('NATS'),
  }),
  redis: group('Where profiles live: one server, a master that Sentinel names, or a cluster.', {
    url: redisAddress({
      doc: 'redis://host:port, rediss://host:port for TLS, or the path of a socket; without sentinels and cluster redis://127.0.0.1:6379.',
    }),
    sentinels: hostPorts({ doc: 'Sentinels, instead of url; they name the master.' }),
    master: text({ doc: 'Name under which the sentinels watch the master.', optional: true }),
    sentinelPassword: secret({ doc: 'Password of the sentinels, if they have one.', optional: true }),
    cluster: hostPorts({ doc: 'Some nodes of a Redis Cluster, instead of url; they name the others.' }),
    addressMap: hostPortPairs({
      doc: 'Servers that are reached elsewhere than sentinels or nodes of a cluster say, announced=reached each: behind address translation, a tunnel or a port forward.',
    }),
    username: text({ doc: 'User of an access control list.', optional: true }),
    password: secret({ doc: 'Password.', optional: true }),
    tls: tls('Redis'),
  }),
  streams: group('Names of the JetStream streams.', {
    events: streamName('the events that come in', 'EVENTS'),
    triggers: streamName('triggers', 'TRIGGERS'),
    suppressed: streamName('triggers that were held back', 'SUPPRESSED'),
    segments: streamName('segment changes', 'SEGMENTS'),
    deadletters: streamName('dead letters', 'DEADLETTERS'),
  }),
  retention: group('How long streams keep what they hold.', {
    keep: duration({ doc: 'Maximum age in streams that Millrace creates.', fallback: '7d' }),
    minimum: duration({
      doc: 'The event stream must keep events at least this long; the longest outage that loses nothing.',
      fallback: '24h',
    }),
  }),
  admin: group('The port for probes, metrics and reading profiles.', {
    host: text({
      doc: 'Address to listen on. Profiles can be read there: only where those may who may.',
      fallback: '127.0.0.1',
    }),
    port: whole({ doc: 'Port to listen on; 0 takes a free one.', max: 65535, fallback: 8080 }),
  }),
  log: group('The log, JSON lines on standard error.', {
    level: oneOf({
      doc: 'Least important level that is written.',
      of: ['error', 'warn', 'info', 'debug'],
      fallback: 'info',
    }),
  }),
  batch: group('How much one commit may hold.', {
    maxEvents: whole({ doc: 'Events.', min: 1, max: 10_000, fallback: 500 }),
    maxBytes: bytes({ doc: 'Bytes of events.', fallback: '1MB' }),
  }),
  cache: group('Decoded profiles in memory, over all partitions.', {
    maxProfiles: whole({ doc: 'Profiles.', min: 1, fallback: 100_000 }),
    maxBytes: bytes({ doc: 'Bytes of heap, estimated from the stored form.', fallback: '64MB' }),
  }),
  outbox: group(
    'Committed effects that are not yet acknowledged, per partition; at the bound the partition stops reading.',
    {
      maxEntries: whole({ doc: 'Entries.', min: 1, fallback: 10_000 }),
      maxBytes: bytes({ doc: 'Bytes.', fallback: '16MB' }),
    },
  ),
  replica: group('This process among those that run the same pipeline.', {
    name: text({
      doc: 'Its own name. With one that stays the same over a restart it takes its partitions back at once; without, host and process id.',
      optional: true,
    }),
  }),
  lease: group('Ownership of partitions.', {
    ttl: duration({
      doc: 'A partition may be taken over when its owner has been silent this long.',
      max: longestWait,
      fallback: '5s',
    }),
  }),
  watchdog: group('The end of a process that is blocked, by an event that loops for ever for instance.', {
    timeout: duration({
      doc: 'The event loop may stand still this long, then the process is killed; whoever starts it again or another replica goes on. "0s" switches it off.',
      max: longestWait,
      fallback: '15s',
    }),
  }),
  shutdown: group('The stop after SIGTERM.', {
    deadline: duration({
      doc: "Finishing may take this long, then the process ends, up to ten seconds later when Redis is just not answering; keep it below the orchestrator's grace period.",
      max: longestWait,
      fallback: '25s',
    }),
  }),
} satisfies OptionSpecs

/** The whole configuration: durations in milliseconds, sizes in bytes, paths absolute, frozen. */
export type Config = OptionValues<typeof configSchema>
