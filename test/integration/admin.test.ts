import { connect } from 'node:net'
import { once } from 'node:events'
import { request } from 'node:http'
import t, { type Test } from 'tap'
import { openAdminPort, type AdminSources, type Readiness } from '../../engine/admin/admin.js'
import { ManualClock } from '../../engine/clock.js'
import { MillraceError } from '../../engine/errors.js'
import { silentLog, type Log } from '../../engine/log.js'
import type { ProfileView } from '../../engine/model.js'

const view: ProfileView = { key: 'ada', traits: { views: 3 }, changedAt: {}, segments: {}, updatedAt: 1, lastSeq: 42 }
const allWell: Readiness = {
  isReady: true,
  nats: 'connected',
  redis: 'connected',
  partitions: [{ partition: 0, state: 'running' }],
}

/** An open port; `get` asks it. */
async function open(t: Test, sources: Partial<AdminSources> = {}) {
  const port = await openAdminPort(
    {
      readiness: () => allWell,
      metrics: { contentType: 'text/plain; version=0.0.4', render: async () => 'up 1\n' },
      profile: async key => ({ view: { ...view, key }, isStale: false }),
      clock: new ManualClock(),
      log: silentLog,
      ...sources,
    },
    { host: '127.0.0.1', port: 0 },
  )
  t.teardown(() => port.close())
  const base = `http://127.0.0.1:${port.port}`
  return { port, base, get: (path: string, init?: RequestInit) => fetch(base + path, init) }
}

/** A source that does not know. */
const unavailable = async () => Promise.reject(new MillraceError('redis_unavailable', 'Redis at redis://secret'))

t.test('livez is 200 even when nothing behind the process answers', async t => {
  const gone: Readiness = { ...allWell, isReady: false, nats: 'disconnected', redis: 'disconnected' }
  const { get } = await open(t, { readiness: () => gone, profile: unavailable })
  const response = await get('/livez')
  t.equal(response.status, 200)
  t.equal(await response.text(), 'ok\n')
})

t.test('startedz is 503 until the replica has its name, whatever becomes of it then', async t => {
  let readiness: Readiness = { ...allWell, isReady: false }
  const { get } = await open(t, { readiness: () => readiness })
  t.equal((await get('/startedz')).status, 503)
  readiness = { ...readiness, replica: 'shop-0' }
  const response = await get('/startedz')
  t.equal(response.status, 200)
  t.strictSame(await response.json(), { started: true })
})

t.test('readyz is 200 when ready', async t => {
  const { get } = await open(t)
  const response = await get('/readyz')
  t.equal(response.status, 200)
  t.strictSame(await response.json(), {
    ready: true,
    nats: 'connected',
    redis: 'connected',
    halts: [],
    partitions: [{ partition: 0, state: 'running' }],
  })
})

t.test('readyz is 503 when not, and says which partition waits for what', async t => {
  const halted = { partition: 1, state: 'halted', reason: 'events_lost' } as const
  const { get } = await open(t, {
    readiness: () => ({ ...allWell, isReady: false, partitions: [...allWell.partitions, halted] }),
  })
  const response = await get('/readyz')
  t.equal(response.status, 503)
  t.match(await response.json(), { ready: false, halts: [halted] })
})

t.test('metrics are sent with their content type', async t => {
  const { get } = await open(t)
  const response = await get('/metrics?name[]=x')
  t.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4')
  t.equal(await response.text(), 'up 1\n')
})

t.test('a profile is found by its percent-encoded key', async t => {
  const { get } = await open(t)
  const response = await get(`/v1/profiles/${encodeURIComponent('a/b c@ü')}`)
  t.equal(response.status, 200)
  t.match(await response.json(), { key: 'a/b c@ü', traits: { views: { value: 3 } }, lastSeq: 42, stale: false })
})

t.test('a profile that is known to the client is not sent again', async t => {
  let lastSeq = 42
  const { get } = await open(t, { profile: async () => ({ view: { ...view, lastSeq }, isStale: false }) })
  const etag = (await get('/v1/profiles/ada')).headers.get('etag')!
  for (const tag of [etag, `"other", ${etag}`, '*']) {
    const again = await get('/v1/profiles/ada', { headers: { 'if-none-match': tag } })
    t.equal(again.status, 304, tag)
    t.equal(again.headers.get('etag'), etag)
    t.equal(await again.text(), '')
  }
  lastSeq++
  t.equal((await get('/v1/profiles/ada', { headers: { 'if-none-match': etag } })).status, 200, 'until it changes')
})

t.test('the last known form is marked as stale', async t => {
  const { get } = await open(t, { profile: async () => ({ view, isStale: true }) })
  t.match(await (await get('/v1/profiles/ada')).json(), { stale: true })
})

t.test('an unknown profile is 404, an unreachable store 503 without its address', async t => {
  const none = await open(t, { profile: async () => undefined })
  const missing = await none.get('/v1/profiles/ada')
  t.equal(missing.status, 404)
  t.strictSame(await missing.json(), { error: 'no_profile' })
  const down = await (await open(t, { profile: unavailable })).get('/v1/profiles/ada')
  t.equal(down.status, 503)
  t.equal(down.headers.get('retry-after'), '1')
  t.strictSame(await down.json(), { error: 'redis_unavailable' })
})

t.test('what fails inside is 500 without its text, and logged', async t => {
  const logged: unknown[] = []
  const log: Log = { ...silentLog, error: fields => void logged.push(fields) }
  const { get } = await open(t, { log, profile: async () => Promise.reject(new Error('ada@example.org')) })
  const response = await get('/v1/profiles/ada')
  t.equal(response.status, 500)
  t.strictSame(await response.json(), { error: 'internal' })
  t.equal(logged.length, 1)
})

t.test('a key that is not percent-encoded UTF-8, or too long, is 400', async t => {
  const { get } = await open(t)
  t.equal((await get('/v1/profiles/%ff')).status, 400)
  t.equal((await get(`/v1/profiles/${'x'.repeat(1024)}`)).status, 200)
  t.equal((await get(`/v1/profiles/${'x'.repeat(1025)}`)).status, 400)
})

t.test('other paths are 404, other methods 405', async t => {
  const { get } = await open(t)
  for (const path of ['/', '/v1/profiles/', '/v1/profiles/a/b', '/livez/', '/v2'])
    t.equal((await get(path)).status, 404, path)
  const posted = await get('/livez', { method: 'POST', body: 'x' })
  t.equal(posted.status, 405)
  t.equal(posted.headers.get('allow'), 'GET, HEAD')
  t.equal((await get('/nowhere', { method: 'POST' })).status, 404)
})

t.test('HEAD is answered like GET without the body', async t => {
  const { get } = await open(t)
  const response = await get('/metrics', { method: 'HEAD' })
  t.equal(response.status, 200)
  t.equal(response.headers.get('content-length'), '5')
  t.equal(await response.text(), '')
})

t.test('a body is not read: the connection ends behind the answer', async t => {
  const { port } = await open(t)
  const socket = connect(port.port, '127.0.0.1')
  socket.write('POST /livez HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\nsome of it')
  let answered = ''
  socket.on('data', chunk => (answered += String(chunk)))
  await once(socket, 'close')
  t.match(answered, /^HTTP\/1\.1 405 .*connection: close/is)
})

t.test('answers are never cached on the way', async t => {
  const { get } = await open(t)
  for (const path of ['/livez', '/readyz', '/metrics', '/v1/profiles/ada', '/none']) {
    t.equal((await get(path)).headers.get('cache-control'), 'no-store', path)
  }
})

t.test('closing answers what is under way and ends idle connections', async t => {
  let release = () => {}
  let isAsked = () => {}
  const asked = new Promise<void>(resolve => (isAsked = resolve))
  const held = new Promise<void>(resolve => (release = resolve))
  const { port, base } = await open(t, {
    profile: async () => {
      isAsked()
      await held
      return { view, isStale: false }
    },
  })
  const pending = request(`${base}/v1/profiles/ada`, { headers: { connection: 'keep-alive' } }).end()
  await asked
  const closed = port.close()
  release()
  const [response] = (await once(pending, 'response')) as [{ statusCode: number; resume(): void }]
  t.equal(response.statusCode, 200)
  response.resume()
  await closed
  await t.rejects(fetch(`${base}/livez`), 'nobody listens any more')
})

t.test('a taken port is an error', async t => {
  const { port } = await open(t)
  const again = openAdminPort({} as AdminSources, { host: '127.0.0.1', port: port.port })
  const message = `admin.port must be free at "127.0.0.1", got ${port.port}: another process listens there`
  await t.rejects(again, { code: 'config_invalid', message })
})
