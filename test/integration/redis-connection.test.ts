/** A connection to Redis gives up on a peer that is silent, whatever it is silent about. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'tap'
import { RedisStore } from '../../profiles/redis-store.js'
import { eventually } from '../support/eventually.js'
import { startRedis } from '../support/servers.js'

test('a server that accepts a connection and then says nothing is left, and the next connection used', async t => {
  const redis = await startRedis(t)
  const sockets: Socket[] = []
  const silent = 3 // each of the store's connections, at first
  const front = createServer(client => {
    sockets.push(client)
    client.on('error', () => {})
    if (sockets.length <= silent) return
    const server = connect(redis.port, '127.0.0.1')
    client.pipe(server).pipe(client)
    server.on('error', () => client.destroy())
  }).listen(0, '127.0.0.1')
  t.teardown(() => front.close())
  t.teardown(() => sockets.forEach(socket => socket.destroy()))
  await once(front, 'listening')

  const { port } = front.address() as AddressInfo
  const store = new RedisStore({ url: `redis://127.0.0.1:${port}` }, 'shop', 500)
  t.teardown(() => store.close())
  await t.rejects(store.verify(), { code: 'redis_unavailable', message: /no reply within 500 ms/ })
  await eventually('it has connected again by itself', () => store.isReachable())
  t.strictSame(await store.verify(), [])
})
