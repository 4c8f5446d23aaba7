/** Connecting, creating and checking what NATS must have: every difference is said, nothing is changed behind anybody's back. */
import { DiscardPolicy, RetentionPolicy, StorageType } from 'nats'
import type { Test } from 'tap'
import type { MillraceError } from '../../engine/errors.js'
import { connectNats, type NatsConnection } from '../../engine/nats/connection.js'
import { Names } from '../../engine/nats/names.js'
import { partitionOf, subjectToken } from '../../engine/nats/partitioning.js'
import { provision, type ProvisionOptions } from '../../engine/nats/provision.js'
import { streamRisks } from '../../engine/nats/stream-risks.js'
import { Streams, type BatchConfig } from '../../engine/nats/streams.js'
import { Broker } from '../support/broker.js'
import { testOnEachNats } from '../support/nats-releases.js'
import { startNats } from '../support/servers.js'
import { isAtLeast } from '../../engine/version.js'

const names = new Names()
const hourMs = 3_600_000
const options: ProvisionOptions = {
  mode: 'create',
  partitions: 16,
  replicas: 1,
  keepMs: 7 * 24 * hourMs,
  minKeepMs: 24 * hourMs,
}
const allStreams = ['DEADLETTERS', 'EVENTS', 'MILLRACE', 'SEGMENTS', 'SUPPRESSED', 'TRIGGERS']

async function open(t: Test, setup: Parameters<typeof startNats>[1] = {}) {
  const nats = await startNats(t, setup)
  const broker = await Broker.connect(t, nats.url)
  return { nats, broker, connection: broker.connection, manager: broker.manager }
}

async function failureOf(promise: Promise<unknown>): Promise<MillraceError> {
  return promise.then(
    () => Promise.reject(new Error('was not rejected')),
    (error: unknown) => error as MillraceError,
  )
}

async function streamNames({ manager }: Pick<Broker, 'manager'>): Promise<string[]> {
  const found: string[] = []
  for await (const { config } of manager.streams.list()) found.push(config.name)
  return found.sort()
}

/** True where streams map subjects themselves. */
const transforms = (connection: NatsConnection) => isAtLeast(connection.info!.version, '2.10')

testOnEachNats('create makes every stream once, with limits and duplicate windows', async (t, nats) => {
  const { broker, connection, manager } = await open(t, nats)
  t.strictSame((await provision(connection, names, options)).sort(), allStreams)
  t.strictSame(await streamNames(broker), allStreams)
  for (const name of allStreams) {
    const { config } = await manager.streams.info(name)
    t.match(config, { storage: StorageType.File, retention: RetentionPolicy.Limits, num_replicas: 1 }, name)
    t.notOk(config.allow_direct, `${name}: a replica that lags must not answer`)
    if (name === 'MILLRACE') t.equal(config.max_age, 0, 'the record of the state is kept for ever')
    else t.equal(config.max_age, options.keepMs * 1e6, `${name} has a maximum age`)
    t.ok(config.duplicate_window! >= 120e9, `${name} recognizes repetitions`)
  }
  t.strictSame(await provision(connection, names, options), [], 'the second time there is nothing to do')
  t.strictSame(await provision(connection, names, { ...options, mode: 'verify' }), [])
})

testOnEachNats('streams of an older server are told to take batches as soon as the server can', async (t, nats) => {
  const { connection, manager } = await open(t, nats)
  const configOf = async () => (await manager.streams.info('TRIGGERS')).config as BatchConfig
  await manager.streams.add({ name: 'TRIGGERS', subjects: ['triggers.*.*'] })
  await provision(connection, names, { ...options, mode: 'verify' }).catch(() => undefined)
  const before = await configOf()
  t.notOk(before.allow_atomic ?? before.allow_batched, 'a check changes nothing')
  await provision(connection, names, options)
  const { version } = connection.info!
  const { allow_atomic = false, allow_batched = false } = await configOf()
  t.strictSame([allow_atomic, allow_batched], [isAtLeast(version, '2.12'), isAtLeast(version, '2.14')], version)
})

testOnEachNats('verify creates nothing and says all that is missing', async (t, nats) => {
  const { broker, connection } = await open(t, nats)
  const failure = await failureOf(provision(connection, names, { ...options, mode: 'verify' }))
  t.equal(failure.code, 'provision_mismatch')
  t.strictSame(
    [...failure.lines].sort(),
    allStreams.map(name => `stream "${name}" does not exist; "check --provision" creates it`).sort(),
  )
  t.strictSame(await streamNames(broker), [])
})

testOnEachNats(
  'a stream that the server refuses is said with its reason, and the others are created',
  async (t, nats) => {
    const { broker, connection, manager } = await open(t, nats)
    await manager.streams.add({ name: 'OLD', subjects: ['triggers.>'] })
    const failure = await failureOf(provision(connection, names, options))
    t.equal(failure.code, 'provision_mismatch')
    const reason = 'subjects overlap with an existing stream'
    t.strictSame(failure.lines, [`stream "TRIGGERS" cannot be created: ${reason}`])
    t.match(failure.message, reason)
    const others = allStreams.filter(name => name !== 'TRIGGERS')
    t.strictSame(await streamNames(broker), [...others, 'OLD'].sort())
    await manager.streams.delete('OLD')
    t.strictSame(await provision(connection, names, options), ['TRIGGERS'])
  },
)

testOnEachNats('several replicas on a single server are refused, and not waited for', async (t, nats) => {
  const { broker, connection } = await open(t, nats)
  const failure = await failureOf(provision(connection, names, { ...options, replicas: 3 }))
  t.equal(failure.code, 'provision_mismatch')
  const reason = 'replicas > 1 not supported in non-clustered mode'
  t.strictSame(
    [...failure.lines].sort(),
    allStreams.map(name => `stream "${name}" cannot be created: ${reason}`).sort(),
  )
  t.strictSame(await streamNames(broker), [])
})

testOnEachNats('what a stream allows that may lose events is said', async (t, nats) => {
  const { connection, manager } = await open(t, nats)
  await provision(connection, names, options)
  t.strictSame(await streamRisks(connection, names, 1), [])
  await manager.streams.update('EVENTS', { max_bytes: 1_000_000, max_msgs: 1_000 })
  const removes = 'stream "EVENTS" removes its oldest events at'
  t.match(await streamRisks(connection, names, 1), [`${removes} max_bytes 1000000,`, `${removes} max_msgs 1000,`])
  await manager.streams.update('EVENTS', { discard: DiscardPolicy.New })
  t.strictSame(await streamRisks(connection, names, 1), [])
  const copies = allStreams.map(name => `stream "${name}" has num_replicas 1, "replicas" says 3`)
  t.strictSame((await streamRisks(connection, names, 3)).sort(), copies)
})

testOnEachNats('a stream that keeps only some messages of a subject is refused', async (t, nats) => {
  const { connection, manager } = await open(t, nats)
  await provision(connection, names, options)
  await manager.streams.update('EVENTS', { max_msgs_per_subject: 10 })
  const failure = await failureOf(provision(connection, names, options))
  t.strictSame(failure.lines, ['stream "EVENTS" max_msgs_per_subject must be -1, got 10'])
})

testOnEachNats('streams that keep messages for less than their ids are refused', async (t, nats) => {
  const { connection } = await open(t, nats)
  const failure = await failureOf(provision(connection, names, { ...options, keepMs: 300_000 }))
  t.equal(failure.code, 'provision_mismatch')
  t.equal(failure.lines.length, 4, 'those of effects')
  for (const line of failure.lines) t.match(line, /^stream "\w+" cannot be created: duplicates window /)
})

testOnEachNats('replicas that start together do not take each other for a refusal', async (t, nats) => {
  const { broker, nats: server } = await open(t, nats)
  const connections = await Promise.all([1, 2, 3, 4].map(() => Broker.connect(t, server.url)))
  const ended = await Promise.allSettled(connections.map(({ connection }) => provision(connection, names, options)))
  const codes = ended.map(one => (one.status === 'fulfilled' ? '' : (one.reason as MillraceError).code))
  for (const code of codes) t.ok(code === '' || code === 'nats_unavailable', code)
  t.ok((await streamNames(broker)).includes('EVENTS'))
})

testOnEachNats('off looks at nothing', async (t, nats) => {
  const { broker, connection } = await open(t, nats)
  t.strictSame(await provision(connection, names, { ...options, mode: 'off' }), [])
  t.strictSame(await streamNames(broker), [])
})

testOnEachNats('every difference of every stream is said at once, and nothing is changed', async (t, nats) => {
  const { connection, manager } = await open(t, nats)
  await manager.streams.add({
    name: 'EVENTS',
    subjects: ['events.>'],
    storage: StorageType.Memory,
    max_age: 6 * hourMs * 1e6,
    ...(transforms(connection)
      ? {
          subject_transform: { src: 'events.*.*.*', dest: 'events.{{partition(8,3)}}.{{wildcard(1)}}.{{wildcard(2)}}' },
        }
      : {}),
  })
  await manager.streams.add({ name: 'TRIGGERS', subjects: ['triggers.*.*'], retention: RetentionPolicy.Workqueue })
  const before = await Promise.all(['EVENTS', 'TRIGGERS'].map(name => manager.streams.info(name)))
  const failure = await failureOf(provision(connection, names, options))
  t.equal(failure.code, 'provision_mismatch')
  const expected = [
    /stream "EVENTS" subjects must be \["events\.\*\.\*\.\*"\], got \["events\.>"\]/,
    /stream "EVENTS" storage must be "file", got "memory"/,
    /stream "EVENTS" max_age must be at least 24h, got 6h/,
    /stream "TRIGGERS" retention must be "limits", got "workqueue"/,
  ]
  if (transforms(connection))
    expected.push(/stream "EVENTS" subject transform must be .*partition\(16,3\).*, got .*partition\(8,3\)/)
  for (const line of expected)
    t.ok(
      failure.lines.some(said => line.test(said)),
      String(line),
    )
  t.equal(failure.lines.filter(line => line.startsWith('stream "')).length, expected.length, 'and nothing else')
  const after = await Promise.all(['EVENTS', 'TRIGGERS'].map(name => manager.streams.info(name)))
  t.strictSame(
    after.map(({ config }) => config),
    before.map(({ config }) => config),
  )
})

testOnEachNats('a retention is judged on both sides of the minimum', async (t, nats) => {
  const { connection, manager } = await open(t, nats)
  await provision(connection, names, options)
  const { config } = await manager.streams.info('EVENTS')
  const keep = (ms: number) => manager.streams.update('EVENTS', { ...config, max_age: ms * 1e6 })
  await keep(24 * hourMs)
  t.strictSame(await provision(connection, names, options), [], 'exactly the minimum')
  await keep(24 * hourMs - 1_000)
  t.equal((await failureOf(provision(connection, names, options))).code, 'provision_mismatch', 'a second less')
  await keep(0)
  t.strictSame(await provision(connection, names, options), [], 'for ever')
})

testOnEachNats('events are stored under the partition that the engine computes from the key', async (t, nats) => {
  const { broker, connection } = await open(t, nats)
  await provision(connection, names, options)
  const keys = [
    'ada',
    'a',
    'user-1',
    'Zoë',
    '日本',
    'with space',
    'with.dot',
    'a*b>c',
    'tab\tand\nline',
    'x'.repeat(200),
    '%2E',
  ]
  for (let i = 0; i < 100; i++) keys.push(`key-${i * i}`)
  const sequences = await broker.publish(
    ...keys.map(key => ({ type: 'type', source: 'source', key, payload: { key } })),
  )
  const stored = await broker.read('EVENTS')
  for (const [i, key] of keys.entries()) {
    const { subject } = stored.find(({ seq }) => seq === sequences[i])!
    t.equal(subject, `events.${partitionOf(key, 16)}.source.type`, JSON.stringify(key))
    t.notMatch(subjectToken(key), /[\s.*>]/, 'a token is one token')
  }
  t.equal(new Set(stored.map(({ subject }) => subject)).size, 16, 'every partition is used')
})

testOnEachNats('a mapping to another number of partitions is not taken for the right one', async (t, nats) => {
  const older = !transforms((await open(t, nats)).connection)
  // Four and twelve agree on every third key.
  const mapping = 'mappings = { "events.*.*.*": "events.{{partition(12,3)}}.{{wildcard(1)}}.{{wildcard(2)}}" }'
  const { connection, manager } = await open(t, { ...nats, ...(older ? { partitions: 12 } : { config: mapping }) })
  await manager.streams.add({ name: 'EVENTS', subjects: ['events.*.*.*'], storage: StorageType.File })
  const failure = await failureOf(provision(connection, names, { ...options, partitions: 4 }))
  t.equal(failure.code, 'mapping_missing')
  t.equal((await manager.streams.info('EVENTS')).state.messages, 0, 'probes are not stored')
  const right = await provision(connection, names, { ...options, partitions: 12 })
  t.notOk(right.includes('EVENTS'), 'and the right one is')
})

testOnEachNats('a server that does not map subjects is refused with the lines that it needs', async (t, nats) => {
  const { connection, manager } = await open(t, { ...nats, partitions: 5 })
  if (transforms(connection)) {
    // As an account of an older installation has it: a stream that does not transform, on a server that could.
    await manager.streams.add({ name: 'EVENTS', subjects: ['events.*.*.*'], storage: StorageType.File })
  }
  const failure = await failureOf(provision(connection, names, options))
  t.equal(failure.code, 'mapping_missing')
  t.match(failure.message, 'mappings = {')
  t.match(failure.message, '"events.*.*.*": "events.{{partition(16,3)}}.{{wildcard(1)}}.{{wildcard(2)}}"')
})

testOnEachNats('the lines that are advised do what is needed', async (t, nats) => {
  const mapping = 'mappings = { "events.*.*.*": "events.{{partition(7,3)}}.{{wildcard(1)}}.{{wildcard(2)}}" }'
  const older = (await open(t, nats)).connection
  if (!transforms(older)) return t.pass('every other test runs with them')
  const { connection, manager } = await open(t, { ...nats, config: mapping })
  await manager.streams.add({ name: 'EVENTS', subjects: ['events.*.*.*'], storage: StorageType.File })
  t.strictSame((await provision(connection, names, { ...options, partitions: 7 })).includes('EVENTS'), false)
})

testOnEachNats('other stream names have their own subjects', async (t, nats) => {
  const { broker, connection } = await open(t, nats)
  if (!transforms(connection)) return t.pass('the mapping of the test server is for the default names')
  const own = new Names({
    events: 'CLICKS',
    triggers: 'CLICK_TRIGGERS',
    suppressed: 'CLICK_SUPPRESSED',
    segments: 'CLICK_SEGMENTS',
    deadletters: 'CLICK_DEADLETTERS',
  })
  await provision(connection, own, options)
  await connection.jetstream().publish('clicks.shop.click.ada', '{}')
  t.equal((await broker.read('CLICKS'))[0]!.subject, `clicks.${partitionOf('ada', 16)}.shop.click`)
})

testOnEachNats('a server without JetStream is refused', async (t, nats) => {
  const server = await startNats(t, { ...nats, jetStream: false })
  const connection = await connectNats({ servers: [`127.0.0.1:${server.port}`] }, 'test')
  t.teardown(() => connection.close())
  const failure = await failureOf(Streams.open(connection))
  t.equal(failure.code, 'jetstream_missing')
  t.match(failure.message, `${server.port}`)
})

testOnEachNats(
  'refused credentials are told apart from a server that is down, without repeating them',
  async (t, nats) => {
    const server = await startNats(t, { ...nats, config: 'authorization { user: millrace, password: right-secret }' })
    const servers = [`127.0.0.1:${server.port}`]
    for (const settings of [
      { servers },
      { servers, user: 'millrace', password: 'wrong-secret' },
      { servers, token: 'wrong-secret' },
    ]) {
      const failure = await failureOf(connectNats(settings, 'test'))
      t.equal(failure.code, 'authentication_failed')
      t.notMatch(failure.message, /secret/)
    }
    const connection = await connectNats({ servers, user: 'millrace', password: 'right-secret' }, 'test')
    await connection.close()
    await server.stop()
    t.equal(
      (await failureOf(connectNats({ servers, user: 'millrace', password: 'right-secret' }, 'test'))).code,
      'nats_unavailable',
    )
  },
)
