/** What only the store on Redis promises: a server that is wrong, slow, gone or forgetful, and scripts that check first. */
import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { test, type Test } from 'tap'
import type { Commit, MillraceError, PartitionMeta } from '../../engine/index.js'
import { commitArguments } from '../../profiles/redis-commit.js'
import { RedisKeys } from '../../profiles/redis-keys.js'
import { RedisStore } from '../../profiles/redis-store.js'
import { eventually } from '../support/eventually.js'
import { takeOver } from '../support/ownership.js'
import { startProxy } from '../support/proxy.js'
import { startRedis } from '../support/servers.js'

const dayMs = 86_400_000

/** A connection besides the store's. */
function look(t: Test, url: string, password?: string): Redis {
  const redis = new Redis(url, password === undefined ? {} : { password })
  t.teardown(() => redis.disconnect())
  return redis
}

async function openStore(t: Test, url: string, timeoutMs?: number): Promise<RedisStore> {
  const store = new RedisStore({ url }, 'shop', timeoutMs)
  t.teardown(() => store.close())
  await store.verify()
  return store
}

function next({ token, position, commitId }: PartitionMeta, id: string, writes: Partial<Commit> = {}): Commit {
  return {
    token,
    commitId: id,
    previousPosition: position,
    previousCommitId: commitId,
    meta: {},
    profiles: [],
    profileTtlMs: undefined,
    timers: [],
    memory: [],
    outbox: [],
    trim: 0,
    ...writes,
  }
}

/** What the promise is rejected with. */
async function failureOf(promise: Promise<unknown>): Promise<MillraceError> {
  return promise.then(
    () => Promise.reject(new Error('was not rejected')),
    (error: unknown) => error as MillraceError,
  )
}

const commitScript = readFileSync(new URL('../../profiles/commit.lua', import.meta.url), 'utf8')
const keys = new RedisKeys('shop')

test('a commit that cannot be written in full is refused before its first write', async t => {
  const { url } = await startRedis(t)
  const store = await openStore(t, url)
  const redis = look(t, url)
  const meta = await takeOver(store, 0, 'owner', 'state')
  const whole = next(meta, 'c1', {
    meta: { position: 3 },
    profiles: [
      { key: 'ada', bytes: Buffer.from('A') },
      { key: 'bob', bytes: undefined },
    ],
    timers: [
      { key: 'ada', dueAt: 5 },
      { key: 'bob', dueAt: Infinity },
    ],
    memory: [
      { stage: 'dedupe', bucket: 1, bytes: Buffer.from('12345678') },
      { stage: 'dedupe', bucket: 0, bytes: undefined },
    ],
    outbox: [Buffer.from('entry')],
  })
  const written = [keys.outbox(0), keys.timers(0), keys.profile(0, 'ada'), keys.memory(0, 'dedupe', 1)]
  const call = (args: (string | number | Buffer)[]) => redis.eval(commitScript, ...(args as [number, ...string[]]))
  const args = commitArguments(keys, 0, whole, dayMs)

  const count = Number(args[0])
  const argument = (number: number) => count + number
  const broken: Record<string, (string | number | Buffer)[]> = {
    'an argument too few': args.slice(0, -1),
    'an argument too many': [...args, 'x'],
    'a key too few': [count - 1, ...args.slice(1, count), ...args.slice(count + 1)],
    'a count that is no number': args.with(argument(8), 'x'),
    'a count below zero': args.with(argument(12), -1),
    'a trim that is no whole number': args.with(argument(5), '1.5'),
    'an expiry that is no whole number': args.with(argument(10), '1.5'),
    'a timer that is no number': args.with(args.length - 4, 'soon'),
    'a timer at no time': args.with(args.length - 4, 'nan'),
  }
  t.equal(args.at(-4), 5, 'the place of the due time')
  for (const [what, wrong] of Object.entries(broken)) {
    await t.rejects(call(wrong), /commit/, what)
    t.strictSame(await redis.exists(...written), 0, `${what}: nothing was written`)
    t.strictSame(await store.readMeta(0), meta, `${what}: the meta is as it was`)
  }

  const places: readonly (readonly [string, string])[] = [
    ['the outbox', keys.outbox(0)],
    ['the timers', keys.timers(0)],
    ['a memory bucket', keys.memory(0, 'dedupe', 1)],
  ]
  for (const [what, key] of places) {
    await redis.hset(key, 'field', 'of a hash')
    t.match(await failureOf(store.commit(0, whole)), { code: 'redis_unavailable' }, `${what} is of another type`)
    t.strictSame(await redis.exists(...written), 1, `${what} of another type: nothing was written`)
    t.strictSame(await store.readMeta(0), meta)
    await redis.del(key)
  }

  t.equal(await store.commit(0, whole), 'ok', 'without the flaws it is written')
  t.strictSame(await redis.exists(...written), 4)
})

test('Redis deletes a profile thirty days after its time to live at the earliest', async t => {
  const { url } = await startRedis(t)
  const store = await openStore(t, url)
  const redis = look(t, url)
  const meta = await takeOver(store, 0, 'owner', 'state')
  const profiles = [{ key: 'ada', bytes: Buffer.from('A') }]
  await store.commit(0, next(meta, 'c1', { profiles, profileTtlMs: 2 * dayMs }))
  const expiresInMs = await redis.pttl(keys.profile(0, 'ada'))
  t.ok(expiresInMs > 31.9 * dayMs && expiresInMs <= 32 * dayMs, `expires in ${expiresInMs} ms`)
  await store.commit(0, next({ ...meta, commitId: 'c1' }, 'c2', { profiles }))
  t.equal(await redis.pttl(keys.profile(0, 'ada')), -1, 'and never without one')
  for (const key of [keys.meta(0), keys.outbox(0), keys.timers(0)]) t.ok((await redis.pttl(key)) < 0, key)
})

test('a Redis that may evict keys is refused', async t => {
  const { url } = await startRedis(t, { config: { 'maxmemory-policy': 'allkeys-lru' } })
  const store = new RedisStore({ url }, 'shop')
  t.teardown(() => store.close())
  const failure = await failureOf(store.verify())
  t.equal(failure.code, 'eviction_policy')
  t.match(failure.message, 'must be "noeviction", got "allkeys-lru"')
})

test('a Redis that loses its data at a restart is warned about, one that keeps it is not', async t => {
  const [keeping, losing] = await Promise.all([startRedis(t), startRedis(t, { config: { appendonly: 'no' } })])
  t.strictSame(await (await openStore(t, keeping.url)).verify(), [])
  t.match(await (await openStore(t, losing.url)).verify(), [/appendonly/])
})

test('refused credentials are told apart from a server that is down, without repeating them', async t => {
  const redis = await startRedis(t, { config: { requirepass: 'right-secret' } })
  const attempt = async (settings: { url: string; password?: string }) => {
    const store = new RedisStore(settings, 'shop')
    t.teardown(() => store.close())
    return store.verify()
  }
  const { url } = redis
  for (const settings of [{ url, password: 'wrong-secret' }, { url }, { url: url.replace('//', '//:wrong-secret@') }]) {
    const failure = await failureOf(attempt(settings))
    t.equal(failure.code, 'authentication_failed')
    t.notMatch(textOf(failure), /secret/)
  }
  t.strictSame(await attempt({ url, password: 'right-secret' }), [])
  await redis.stop()
  t.equal((await failureOf(attempt({ url, password: 'right-secret' }))).code, 'redis_unavailable')
})

test('credentials that are refused once the server is back are told apart, too', async t => {
  const redis = await startRedis(t, { config: { requirepass: 'right-secret' } })
  await redis.stop()
  const store = new RedisStore({ url: redis.url, password: 'wrong-secret' }, 'shop')
  t.teardown(() => store.close())
  t.equal((await failureOf(store.verify())).code, 'redis_unavailable')
  await redis.start()
  await eventually(
    'the refusal is known',
    async () => (await failureOf(store.verify())).code === 'authentication_failed',
  )
})

test('a store works over a unix socket', async t => {
  const { socket } = await startRedis(t)
  const store = await openStore(t, socket)
  t.match(await takeOver(store, 0, 'owner', 'state'), { token: '1:owner' })
})

test('a commit whose reply is lost is answered ok when it comes again, and applied once', async t => {
  const { url, port } = await startRedis(t)
  const proxy = await startProxy(t, port)
  const store = await openStore(t, `redis://127.0.0.1:${proxy.port}`, 2_000)
  const direct = await openStore(t, url)
  const redis = look(t, url)
  const meta = await takeOver(store, 0, 'owner', 'state')
  const commit = next(meta, 'c1', {
    meta: { position: 1 },
    outbox: [Buffer.from('entry')],
    memory: [{ stage: 'dedupe', bucket: 1, bytes: Buffer.from('12345678') }],
  })
  // The server takes the command, but its answer finds no way back.
  await redis.call('CLIENT', 'PAUSE', '60000', 'WRITE')
  const lost = failureOf(store.commit(0, commit))
  await eventually('the commit is at the server', async () => {
    return (await millraceClients(redis)).some(line => /name=millrace-commits .* flags=b/.test(line))
  })
  await proxy.set('black_hole')
  await redis.call('CLIENT', 'UNPAUSE')
  await eventually('it is applied', async () => (await direct.readMeta(0))!.commitId === 'c1')
  proxy.cut()
  t.equal((await lost).code, 'redis_unavailable')

  await proxy.set('pass')
  await eventually('the connection is back', () => store.isReachable())
  t.equal(await store.commit(0, commit), 'ok')
  t.match(await store.readMeta(0), { position: 1, commitId: 'c1' })
  t.equal((await store.outbox(0)).length, 1)
  t.equal((await store.memory(0, 'dedupe', 1, 1))[0]!.bytes.length, 8)
})

test('a commit that never reached the server fails and is written when it comes again', async t => {
  const { url, port } = await startRedis(t)
  const proxy = await startProxy(t, port)
  const store = await openStore(t, `redis://127.0.0.1:${proxy.port}`, 300)
  const direct = await openStore(t, url)
  const meta = await takeOver(store, 0, 'owner', 'state')
  const commit = next(meta, 'c1', { outbox: [Buffer.from('entry')] })
  await proxy.set('black_hole')
  const failure = await failureOf(store.commit(0, commit))
  t.equal(failure.code, 'redis_unavailable')
  t.match(failure.message, 'no reply within 300 ms')
  t.strictSame(await direct.readMeta(0), meta)
  await proxy.set('refuse')
  t.equal((await failureOf(store.commit(0, commit))).code, 'redis_unavailable', 'and at once while nobody listens')
  await eventually('the store knows', () => !store.isReachable())
  await proxy.set('pass')
  await eventually('the connection is back', () => store.isReachable())
  t.equal(await store.commit(0, commit), 'ok')
  t.equal((await store.outbox(0)).length, 1, 'nothing was sent behind our back')
})

test('scripts that Redis forgot are sent again', async t => {
  const { url } = await startRedis(t)
  const store = await openStore(t, url)
  const redis = look(t, url)
  const meta = await takeOver(store, 0, 'owner', 'state')
  await redis.script('FLUSH')
  t.equal(await store.commit(0, next(meta, 'c1', { outbox: [Buffer.from('entry')] })), 'ok')
  await redis.script('FLUSH')
  t.equal(await store.renew(0, meta.token, 'c1'), 'ok')
  t.equal((await store.outbox(0)).length, 1)
})

test('errors never carry what was written', async t => {
  const { url } = await startRedis(t)
  const store = await openStore(t, url)
  const redis = look(t, url)
  const meta = await takeOver(store, 0, 'owner', 'state')
  await redis.set(keys.timers(0), 'of another type')
  const profiles = [{ key: 'key-of-ada', bytes: Buffer.from('body-of-ada') }]
  const failure = await failureOf(store.commit(0, next(meta, 'c1', { profiles })))
  t.equal(failure.code, 'redis_unavailable')
  t.notMatch(textOf(failure), /of-ada/)
})

test('a Redis that is full refuses a commit as a whole', async t => {
  const { url } = await startRedis(t, { config: { maxmemory: '3mb' } })
  const store = await openStore(t, url)
  const redis = look(t, url)
  const meta = await takeOver(store, 0, 'owner', 'state')
  const fill = Buffer.alloc(100_000)
  const full = await eventually('the memory is full', async () =>
    redis.rpush('filler', fill).then(
      () => undefined,
      (error: Error) => error.message,
    ),
  )
  t.match(full, /^OOM/)
  const commit = next(meta, 'c1', { outbox: [fill], profiles: [{ key: 'ada', bytes: fill }] })
  t.equal((await failureOf(store.commit(0, commit))).code, 'redis_unavailable')
  t.strictSame(await store.outbox(0), [])
  t.equal((await store.readMeta(0))!.commitId, '')
  await redis.del('filler')
  t.equal(await store.commit(0, commit), 'ok', 'and takes it when there is room')
})

test('after close nothing is left open', async t => {
  const { url } = await startRedis(t)
  const redis = look(t, url)
  const store = new RedisStore({ url }, 'shop')
  await store.verify()
  t.equal((await millraceClients(redis)).length, 3)
  await store.close()
  await eventually('the connections are gone', async () => (await millraceClients(redis)).length === 0)
  t.equal(store.isReachable(), false)
})

async function millraceClients(redis: Redis): Promise<string[]> {
  return String(await redis.client('LIST'))
    .split('\n')
    .filter(line => line.includes('name=millrace-'))
}

/** All that a log could show of an error, its causes and fields included. */
function textOf(error: Error): string {
  const seen = new Set<unknown>()
  const texts: string[] = []
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) texts.push(String(value))
    else if (Buffer.isBuffer(value)) texts.push(value.toString())
    else if (!seen.has(value)) {
      seen.add(value)
      for (const name of Object.getOwnPropertyNames(value)) visit((value as Record<string, unknown>)[name])
    }
  }
  visit(error)
  return texts.join('\n')
}
