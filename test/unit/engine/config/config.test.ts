import { resolve } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig, redactedConfig, type Config, type ConfigSources } from '../../../../engine/config/config.js'
import { settings, variableOf } from '../../../../engine/config/environment.js'
import { MillraceError } from '../../../../engine/errors.js'

/** Writes the file and returns what loading it with this environment gives. */
function load(t: Test, file: string | undefined, env: Record<string, string> = {}, more: Record<string, string> = {}) {
  const cwd = t.testdir({ ...(file === undefined ? {} : { 'millrace.yaml': file }), ...more })
  return { cwd, config: () => loadConfig({ env, cwd }) }
}

/** The problems of a configuration that must not load. */
function problemsOf(sources: ConfigSources): readonly string[] {
  try {
    loadConfig(sources)
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'config_invalid') return error.lines
    throw error
  }
  return []
}

const problemsIn = (t: Test, file: string, env: Record<string, string> = {}) =>
  problemsOf({ env, cwd: t.testdir({ 'millrace.yaml': file }) })

t.test('without a file and variables every setting has its documented default', async t => {
  const { cwd, config } = load(t, undefined)
  t.strictSame(config(), {
    pipeline: resolve(cwd, 'pipeline.ts'),
    generation: 1,
    provision: 'create',
    replicas: 1,
    processes: 1,
    nats: {
      servers: ['127.0.0.1:4222'],
      user: undefined,
      password: undefined,
      token: undefined,
      credentials: undefined,
      tls: { ca: undefined, cert: undefined, key: undefined },
    },
    redis: {
      url: undefined,
      sentinels: undefined,
      master: undefined,
      sentinelPassword: undefined,
      cluster: undefined,
      addressMap: undefined,
      username: undefined,
      password: undefined,
      tls: { ca: undefined, cert: undefined, key: undefined },
    },
    streams: {
      events: 'EVENTS',
      triggers: 'TRIGGERS',
      suppressed: 'SUPPRESSED',
      segments: 'SEGMENTS',
      deadletters: 'DEADLETTERS',
    },
    retention: { keep: 604_800_000, minimum: 86_400_000 },
    admin: { host: '127.0.0.1', port: 8080 },
    log: { level: 'info' },
    batch: { maxEvents: 500, maxBytes: 1_048_576 },
    cache: { maxProfiles: 100_000, maxBytes: 67_108_864 },
    outbox: { maxEntries: 10_000, maxBytes: 16_777_216 },
    lease: { ttl: 5000 },
    replica: { name: undefined },
    watchdog: { timeout: 15_000 },
    shutdown: { deadline: 25_000 },
  })
})

t.test('a variable wins over the file, the file over the default', async t => {
  const { config } = load(t, 'batch: { maxEvents: 7, maxBytes: 2KB }\n', { MILLRACE_BATCH_MAX_EVENTS: '9' })
  t.equal(config().batch.maxEvents, 9)
  t.equal(config().batch.maxBytes, 2048)
  t.equal(config().cache.maxProfiles, 100_000)
})

t.test('every setting can be written in a variable whose name follows from its path', async t => {
  t.equal(variableOf('nats.servers'), 'MILLRACE_NATS_SERVERS')
  t.equal(variableOf('batch.maxEvents'), 'MILLRACE_BATCH_MAX_EVENTS')
  const written: Record<string, string> = {}
  for (const { path, spec } of settings()) {
    if (spec.fallback !== undefined) written[variableOf(path)] = String(spec.fallback)
  }
  const defaults = load(t, undefined).config()
  t.strictSame(load(t, undefined, written).config(), defaults, 'the defaults, spelled out, change nothing')
})

t.test('a list in a variable is separated by commas', async t => {
  const { config } = load(t, undefined, { MILLRACE_NATS_SERVERS: 'a:4222, b:4222' })
  t.strictSame(config().nats.servers, ['a:4222', 'b:4222'])
})

t.test('a mounted file gives its value without the newline at the end', async t => {
  const { cwd } = load(t, 'nats: { user: engine }\n', {}, { password: 'open sesame\n' })
  const config = loadConfig({ cwd, env: { MILLRACE_NATS_PASSWORD_FILE: resolve(cwd, 'password') } })
  t.equal(config.nats.password, 'open sesame')
})

t.test('a JSON file is read as well, indented by tabs or blanks', async t => {
  for (const indent of ['\t', '  ']) {
    const cwd = t.testdir({ 'settings.json': JSON.stringify({ admin: { port: 9 }, provision: 'off' }, null, indent) })
    const config = loadConfig({ file: 'settings.json', env: {}, cwd })
    t.match(config, { admin: { port: 9 }, provision: 'off' })
  }
})

t.test('paths start at the folder of the file, those in variables at the working directory', async t => {
  const cwd = t.testdir({ deep: { 'millrace.yaml': 'pipeline: shop.ts\nnats: { credentials: a.creds }\n' } })
  const file = 'deep/millrace.yaml'
  t.match(loadConfig({ file, env: {}, cwd }), {
    pipeline: resolve(cwd, 'deep/shop.ts'),
    nats: { credentials: resolve(cwd, 'deep/a.creds') },
  })
  t.equal(loadConfig({ file, env: { MILLRACE_PIPELINE: 'x.ts' }, cwd }).pipeline, resolve(cwd, 'x.ts'))
})

t.test('the configuration cannot be changed', async t => {
  const config = load(t, undefined).config()
  t.throws(() => Object.assign(config.batch, { maxEvents: 1 }), TypeError)
  t.throws(() => (config.nats.servers as string[]).push('elsewhere'), TypeError)
})

t.test('every problem is said at once, with its place and the nearest known name', async t => {
  const file =
    'batch: { maxEvent: 7, maxBytes: soon }\nadmin: { port: 70000 }\nredis: true\nlease: { ttl: 999ms }\nnat: {}\n'
  const lines = problemsIn(t, file, { MILLRACE_NATS_SERVER: 'x', MILLRACE_LOG_LEVEL: 'loud' })
  t.strictSame([...lines].sort(), [
    'MILLRACE_LOG_LEVEL must be one of "error", "warn", "info", "debug", got "loud"',
    'MILLRACE_NATS_SERVER is not a setting; did you mean MILLRACE_NATS_SERVERS?',
    'admin.port must be a whole number from 0 to 65535, got 70000',
    'batch.maxBytes must be a size such as "64KB", got "soon"',
    'batch.maxEvent is not a setting; did you mean batch.maxEvents?',
    'lease.ttl must be at least "1s"',
    'nat is not a setting; did you mean nats?',
    'redis must be an object of settings',
  ])
})

t.test('bounds hold on both sides', async t => {
  const bounds: [good: string, bad: string][] = [
    ['lease: { ttl: 1s }', 'lease: { ttl: 999ms }'],
    ['lease: { ttl: 24d }', 'lease: { ttl: 2073600001ms }'],
    ['watchdog: { timeout: 24d }', 'watchdog: { timeout: 2073600001ms }'],
    ['shutdown: { deadline: 24d }', 'shutdown: { deadline: 2073600001ms }'],
    ['batch: { maxEvents: 1 }', 'batch: { maxEvents: 0 }'],
    ['batch: { maxBytes: 1 }', 'batch: { maxBytes: 0 }'],
    ['admin: { port: 65535 }', 'admin: { port: 65536 }'],
    ['replicas: 5', 'replicas: 6'],
    ['retention: { keep: 24h }', 'retention: { keep: 23h }'],
    ['nats: { user: u, password: p }', 'nats: { user: u }'],
    ['nats: { token: t }', 'nats: { token: t, credentials: c }'],
    ['redis: { tls: { cert: c, key: k } }', 'redis: { tls: { cert: c } }'],
    ['streams: { events: SHOP }', 'streams: { events: triggers }'],
    ['streams: { events: SHOP-1 }', 'streams: { events: SHOP.1 }'],
    ['streams: { events: MILLRACE_1 }', 'streams: { events: Millrace }'],
    ['redis: { url: /run/redis.sock }', 'redis: { url: //run }'],
    ['redis: { url: rediss://r:1 }', 'redis: { url: http://r:1 }'],
    ['redis: { sentinels: [s:1], master: m }', 'redis: { sentinels: [s:1] }'],
    ['redis: { sentinels: [s:1], master: m }', 'redis: { master: m }'],
    ['redis: { sentinels: [s:1], master: m, sentinelPassword: p }', 'redis: { sentinelPassword: p }'],
    ['redis: { cluster: [c-1:1, "[::1]:65535"] }', 'redis: { cluster: [c-1:1, "[::1]:65536"] }'],
    ['redis: { cluster: "c-1:1, c-2:1" }', 'redis: { cluster: [] }'],
    ['redis: { cluster: [c:1] }', 'redis: { cluster: [c] }'],
    ['redis: { cluster: [c:1] }', 'redis: { cluster: ["redis://c:1"] }'],
    ['redis: { cluster: [c:1] }', 'redis: { cluster: [c:0] }'],
    ['redis: { cluster: [c:1] }', 'redis: { cluster: [c:1], url: /run/redis.sock }'],
    ['redis: { cluster: [c:1] }', 'redis: { cluster: [c:1], sentinels: [s:1], master: m }'],
    ['redis: { url: /run/redis.sock }', 'redis: { url: /run/redis.sock, sentinels: [s:1], master: m }'],
    ['redis: { cluster: [c:1], addressMap: ["d:1=e:2"] }', 'redis: { cluster: [c:1], addressMap: ["d:1"] }'],
    [
      'redis: { cluster: [c:1], addressMap: "d:1=e:2, [::1]:1=e:2" }',
      'redis: { cluster: [c:1], addressMap: ["d:1=e"] }',
    ],
    ['redis: { cluster: [c:1], addressMap: [d:1=e:2] }', 'redis: { cluster: [c:1], addressMap: [d:1=e:2=f:3] }'],
    ['redis: { cluster: [c:1], addressMap: [d:1=e:2] }', 'redis: { cluster: [c:1], addressMap: [d:1=e:2, d:1=f:2] }'],
    ['redis: { sentinels: [s:1], master: m, addressMap: [d:1=e:2] }', 'redis: { addressMap: [d:1=e:2] }'],
  ]
  for (const [good, bad] of bounds) {
    t.strictSame(problemsIn(t, good), [], good)
    t.equal(problemsIn(t, bad).length, 1, bad)
  }
})

t.test('a duration that no timer can wait for is said with its place and value', async t => {
  const file = 'watchdog: { timeout: 30d }\nshutdown: { deadline: soon }\nretention: { keep: 30d }\n'
  t.strictSame(problemsIn(t, file, { MILLRACE_LEASE_TTL: '4w' }), [
    'MILLRACE_LEASE_TTL must be a duration such as "10m", at most "24d", got "4w"',
    'watchdog.timeout must be a duration such as "10m", at most "24d", got "30d"',
    'shutdown.deadline must be a duration such as "10m", at most "24d", got "soon"',
  ])
})

t.test('a named file must exist; the usual one may be missing', async t => {
  const cwd = t.testdir({})
  t.strictSame(problemsOf({ env: {}, cwd }), [])
  t.match(problemsOf({ file: 'other.yaml', env: {}, cwd }), [/other\.yaml cannot be read \(ENOENT\)/])
})

t.test('a file that is not YAML is said with line and column', async t => {
  t.strictSame(problemsIn(t, 'batch:\n  maxEvents: 5\n  maxEvents: 6\n'), [
    'millrace.yaml:3:3 is not valid YAML (duplicate_key)',
  ])
})

t.test('a variable and its file variable together are a problem, as is a file that cannot be read', async t => {
  const cwd = t.testdir({ level: 'warn' })
  const both = { MILLRACE_LOG_LEVEL: 'info', MILLRACE_LOG_LEVEL_FILE: resolve(cwd, 'level') }
  t.strictSame(problemsOf({ env: both, cwd }), [
    'MILLRACE_LOG_LEVEL_FILE sets log.level a second time, after MILLRACE_LOG_LEVEL',
  ])
  t.match(problemsOf({ env: { MILLRACE_LOG_LEVEL_FILE: '/nowhere' }, cwd }), [
    /names a file that cannot be read \(ENOENT\)/,
  ])
})

t.test('variables that Kubernetes adds for a service called millrace are not settings', async t => {
  const { config } = load(t, undefined, {
    MILLRACE_SERVICE_HOST: '10.0.0.1',
    MILLRACE_SERVICE_PORT_ADMIN: '8080',
    MILLRACE_PORT: 'tcp://10.0.0.1:8080',
    MILLRACE_PORT_8080_TCP_ADDR: '10.0.0.1',
    MILLRACE_ADMIN_PORT: 'tcp://10.0.0.1:8080',
  })
  t.equal(config().admin.port, 8080)
})

t.test(
  'programs of the demo, the tests and the benchmarks are not settings, an address in their place is a mistake',
  async t => {
    const cwd = t.testdir({})
    const programs = { MILLRACE_NATS_SERVER: '/opt/nats-server', MILLRACE_NODE_22: './node' }
    t.strictSame(problemsOf({ env: programs, cwd }), [])
    for (const address of ['nats-1:4222', 'nats://nats-1:4222']) {
      t.match(problemsOf({ env: { MILLRACE_NATS_SERVER: address }, cwd }), [/did you mean MILLRACE_NATS_SERVERS\?$/])
    }
  },
)

t.test('no secret ever appears in a problem', async t => {
  const marker = 'hunter2'
  const files = [
    `nats: { user: u, password: [${marker}] }`,
    `nats: ${marker}`,
    `nats: { password: { inner: ${marker} } }`,
    `nats: { servers: "nats://u:${marker}@host" }`,
    `nats: { servers: { ${marker}: 1 } }`,
    `redis: { url: "http://:${marker}@host" }`,
    `redis: { url: ["redis://:${marker}@host"] }`,
    `redis: { cluster: ["redis://:${marker}@host:1"] }`,
    `redis: { cluster: [c:1], addressMap: ["c:1=:${marker}@host:1"] }`,
    `redis: { sentinels: ["${marker}@host:1"], master: m }`,
    `redis: { sentinelPassword: ["${marker}"] }`,
    `redis: { password: "${marker}`,
    `redis: { password: *${marker} }`,
    `redis:\n  password: ${marker}\n bad: [`,
  ]
  for (const file of files) {
    const lines = problemsIn(t, file)
    t.ok(lines.length > 0, `is a problem: ${file}`)
    t.notMatch(lines.join('\n'), marker)
  }
  t.notMatch(problemsOf({ env: { MILLRACE_REDIS_URL: `x://:${marker}@y` }, cwd: t.testdir({}) }).join(), marker)
})

t.test('the configuration as it is logged shows settings but neither secrets nor passwords in addresses', async t => {
  const marker = 'hunter@2'
  const config: Config = load(
    t,
    `redis: { url: "redis://u:${marker}@r:1/0?password=${marker}", password: ${marker} }`,
  ).config()
  const shown = redactedConfig(config)
  t.notMatch(JSON.stringify(shown), /hunter/)
  t.match(shown, { redis: { url: 'redis://r:1/0', password: '[secret]' }, batch: { maxEvents: 500 } })
})
