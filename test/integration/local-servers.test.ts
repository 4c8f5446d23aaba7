import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { access } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import { connect } from 'nats'
import { test } from 'tap'
import { findCurrentNats, findServer } from '../../engine/cli/local/binaries.js'
import { ask, freePort } from '../../engine/cli/local/probe.js'
import { LocalRedis } from '../../engine/cli/local/redis.js'
import { makeFolder, removeFolder, startLocalServers } from '../../engine/cli/local/servers.js'
import { eventually } from '../support/eventually.js'
import { startNats, startRedis, startServers } from '../support/servers.js'
import { isAtLeast } from '../../engine/version.js'

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )

/** A dead process that nobody has waited for yet is dead all the same. */
function isAlive(pid: number): boolean {
  const { status, stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return status === 0 && !stdout.startsWith('Z')
}

interface Starter {
  readonly nats: number
  readonly redis: number
  readonly folder: string
  readonly child: ChildProcess
  readonly exit: Promise<[code: number | null, signal: string | null]>
}

/** A process that starts servers and then does `next`. */
async function startInProcess(next: string): Promise<Starter> {
  const module = new URL('../../engine/cli/local/servers.js', import.meta.url)
  const program = `
    const { startLocalServers } = await import(${JSON.stringify(module.href)})
    const servers = await startLocalServers()
    console.log(JSON.stringify({ nats: servers.nats.pid, redis: servers.redis.pid, folder: servers.folder }))
    ${next}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'pipe'] })
  const exit = once(child, 'exit') as Starter['exit']
  const line = once(createInterface(child.stdout), 'line') as Promise<[string]>
  const [pids] = await Promise.race([line, exit.then(() => Promise.reject(new Error(String(child.stderr.read()))))])
  return { ...(JSON.parse(pids) as Pick<Starter, 'nats' | 'redis' | 'folder'>), child, exit }
}

test('both servers answer on the loopback interface, and stopping them leaves nothing behind', async t => {
  const servers = await startServers(t)
  const nats = await connect({ servers: servers.nats.url })
  t.equal(nats.info?.version, servers.nats.version)
  t.equal(nats.info?.jetstream, true)
  await nats.close()
  const redis = new Redis(servers.redis.url)
  const info = await redis.info('server')
  t.match(info, `process_id:${servers.redis.pid}\r\n`)
  t.match(info, `redis_version:${servers.redis.version}\r\n`)
  redis.disconnect()
  const pids = [servers.nats.pid, servers.redis.pid]

  await servers.stop()
  t.same(pids.map(isAlive), [false, false])
  t.equal(await exists(servers.folder), false)
  t.doesNotThrow(() => servers.stop())
})

test('redis keeps what it acknowledged: append-only, no snapshots, no eviction; and listens on a socket too', async t => {
  const server = await startRedis(t)
  const redis = new Redis(server.socket)
  t.teardown(() => redis.disconnect())
  const settings = ['appendonly', 'appendfsync', 'save', 'maxmemory-policy']
  const values = await Promise.all(settings.map(name => redis.config('GET', name)))
  t.same(values, [
    ['appendonly', 'yes'],
    ['appendfsync', 'everysec'],
    ['save', ''],
    ['maxmemory-policy', 'noeviction'],
  ])
})

test('redis directives can be replaced, a password among them', async t => {
  const server = await startRedis(t, { config: { requirepass: 'sesame', 'maxmemory-policy': 'allkeys-lru' } })
  const stranger = new Redis(server.url, { lazyConnect: true, enableReadyCheck: false, retryStrategy: () => null })
  t.teardown(() => stranger.disconnect())
  await t.rejects(stranger.get('x'), { message: /NOAUTH/ })
  const redis = new Redis(server.url, { password: 'sesame' })
  t.teardown(() => redis.disconnect())
  t.same(await redis.config('GET', 'maxmemory-policy'), ['maxmemory-policy', 'allkeys-lru'])
})

test('after a kill the servers start again on the same ports with what they had stored', async t => {
  const servers = await startServers(t)
  const before = { nats: servers.nats.url, redis: servers.redis.url, pid: servers.nats.pid }
  const nats = await connect({ servers: servers.nats.url })
  const manager = await nats.jetstreamManager()
  await manager.streams.add({ name: 'KEPT', subjects: ['kept'] })
  await nats.jetstream().publish('kept', 'one')
  await nats.close()
  const redis = new Redis(servers.redis.url)
  await redis.set('kept', 'two')
  redis.disconnect()

  await Promise.all([servers.nats.kill(), servers.redis.kill()])
  await Promise.all([servers.nats.start(), servers.redis.start()])

  t.equal(servers.nats.url, before.nats)
  t.equal(servers.redis.url, before.redis)
  t.not(servers.nats.pid, before.pid)
  const again = await connect({ servers: servers.nats.url })
  t.teardown(() => again.close())
  t.equal((await (await again.jetstreamManager()).streams.info('KEPT')).state.messages, 1)
  const redisAgain = new Redis(servers.redis.url)
  t.teardown(() => redisAgain.disconnect())
  t.equal(await redisAgain.get('kept'), 'two')
})

test('a paused server can be stopped', async t => {
  const server = await startRedis(t)
  const { pid } = server
  server.pause()
  await server.stop()
  t.equal(isAlive(pid), false)
})

test('events are stored under the partition of their key on servers that map by account', async t => {
  const server = await startNats(t, { partitions: 16 })
  if (isAtLeast(server.version, '2.10.0')) return t.comment('streams transform subjects on this server')
  const nats = await connect({ servers: server.url })
  t.teardown(() => nats.close())
  const manager = await nats.jetstreamManager()
  await manager.streams.add({ name: 'EVENTS', subjects: ['events.*.*.*'] })
  await nats.jetstream().publish('events.shop.signed_up.foobar')
  const stored = await manager.streams.getMessage('EVENTS', { seq: 1 })
  // FNV-1a 32 of "foobar" is 0xbf9cf968 by its authors' test vectors; its last digit is the partition out of 16.
  t.equal(stored.subject, `events.${0xbf9cf968 % 16}.shop.signed_up`)
})

test('a server without JetStream, and further configuration, for tests that need them', async t => {
  const server = await startNats(t, { jetStream: false, config: 'authorization { user: "a", password: "b" }' })
  await t.rejects(connect({ servers: server.url }), { code: 'AUTHORIZATION_VIOLATION' })
  const nats = await connect({ servers: server.url, user: 'a', pass: 'b' })
  t.teardown(() => nats.close())
  t.not(nats.info?.jetstream, true)
})

test('a server that exits at start is reported with its last log lines', async t => {
  await t.rejects(startNats(t, { config: 'no_such_setting { {' }), {
    message: /nats-server exited at start.*\n.*parse error/i,
  })
  await t.rejects(startRedis(t, { config: { nonsense: '1' } }), { message: /redis-server exited at start[^]*nonsense/ })
})

test('a taken port is an error that says so, and the server that holds it stays', async t => {
  const holder = await startRedis(t)
  const folder = await makeFolder()
  t.teardown(() => removeFolder(folder))
  await t.rejects(LocalRedis.start({ folder, port: holder.port }), { message: /address already in use/i })
  t.equal(isAlive(holder.pid), true)
})

test('when one server cannot start, the other is stopped', async t => {
  const redis = { port: await freePort() }
  const attempt = startLocalServers({ nats: { config: 'no_such_setting { {' }, redis })
  await t.rejects(attempt, { message: /nats-server exited at start/ })
  t.equal(await ask(redis.port, 'PING\r\n', /PONG/), undefined)
})

const ends = {
  SIGTERM: { next: 'setInterval(() => {}, 1000)', exit: [128 + 15, null] },
  SIGINT: { next: 'setInterval(() => {}, 1000)', exit: [128 + 2, null] },
  'an uncaught error': { next: "throw new Error('uncaught')", exit: [1, null] },
  'nothing left to do': { next: '', exit: [0, null] },
}

for (const [end, { next, exit }] of Object.entries(ends)) {
  test(`servers end with the process that started them: ${end}`, async t => {
    const starter = await startInProcess(next)
    if (end.startsWith('SIG')) starter.child.kill(end as NodeJS.Signals)
    t.same(await starter.exit, exit)
    await eventually('both servers are gone', () => !isAlive(starter.nats) && !isAlive(starter.redis))
    t.equal(await exists(starter.folder), false)
  })
}

test('released servers outlive the process that started them', async t => {
  const starter = await startInProcess('servers.release(); await servers.stop()')
  t.teardown(() => removeFolder(starter.folder))
  t.teardown(() => [starter.nats, starter.redis].forEach(pid => process.kill(pid, 'SIGKILL')))
  t.same(await starter.exit, [0, null])
  t.same([isAlive(starter.nats), isAlive(starter.redis)], [true, true])
  t.equal(await exists(starter.folder), true)
})

test('a current NATS runs beside the installed one, and can check what is published', async t => {
  const server = await startNats(t, { release: 'current' })
  t.ok(isAtLeast(server.version, '2.12.0'), server.version)
  const nats = await connect({ servers: server.url })
  t.teardown(() => nats.close())
  t.equal(nats.info?.version, server.version)
})

test('a current NATS is taken from its environment variable, and a wrong one is named', async t => {
  const { path } = await findServer('nats-server')
  const named = await findCurrentNats({ environment: { MILLRACE_NATS_CURRENT: path } })
  t.equal(named.path, path)
  await t.rejects(findCurrentNats({ environment: { MILLRACE_NATS_CURRENT: '/nowhere/nats' } }), {
    message: 'MILLRACE_NATS_CURRENT must name a program that can be run, got "/nowhere/nats"',
  })
})

test('where a current NATS cannot be fetched, the way out is said, and why', async t => {
  const folder = t.testdir({ 'apt.conf': 'Dir::Etc::SourceList "/dev/null"; Dir::Etc::SourceParts "/dev/null";' })
  const advice = /^no current nats-server .* MILLRACE_NATS_CURRENT/
  await t.rejects(findCurrentNats({ environment: { XDG_CACHE_HOME: folder, PATH: '/nowhere' } }), {
    message: advice,
    cause: { code: 'ENOENT' },
  })
  const hasApt = spawnSync('apt-get', ['--version']).error === undefined
  if (!hasApt) return
  const withoutMirror = {
    ...process.env,
    MILLRACE_NATS_CURRENT: '',
    XDG_CACHE_HOME: folder,
    APT_CONFIG: `${folder}/apt.conf`,
  }
  await t.rejects(findCurrentNats({ environment: withoutMirror }), {
    message: advice,
    cause: { message: /^none of apt's 0 mirrors/ },
  })
})

test('a program is taken from the environment variable, and a wrong one is named', async t => {
  // Of the two the one that needs no libraries: a fetched Redis brings its own, and only who fetched it knows where they are.
  const found = await findServer('nats-server')
  const named = await findServer('nats-server', { environment: { MILLRACE_NATS_SERVER: found.path } })
  t.equal(named.path, found.path)
  await t.rejects(findServer('redis-server', { environment: { MILLRACE_REDIS_SERVER: '/nowhere/redis' } }), {
    message: 'MILLRACE_REDIS_SERVER must name a program that can be run, got "/nowhere/redis"',
  })
})
