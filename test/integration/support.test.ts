import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { test } from 'tap'
import { eventually } from '../support/eventually.js'
import { startProxy } from '../support/proxy.js'
import type { TestScope } from '../support/servers.js'

/** Answers every chunk with the same bytes. */
async function startEcho(t: TestScope): Promise<number> {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

class Client {
  readonly socket: Socket
  received = ''
  failure: string | undefined
  constructor(t: TestScope, port: number) {
    this.socket = connect(port, '127.0.0.1')
    t.teardown(() => this.socket.destroy())
    this.socket.setEncoding('utf8')
    this.socket.on('data', (text: string) => (this.received += text))
    this.socket.on('error', error => (this.failure = (error as NodeJS.ErrnoException).code))
  }
}

test('the proxy passes bytes both ways, large ones too', async t => {
  const proxy = await startProxy(t, await startEcho(t))
  const client = new Client(t, proxy.port)
  const text = 'millrace'.repeat(500_000)
  client.socket.write(text)
  await eventually('all bytes are back', () => client.received.length === text.length)
  t.equal(client.received === text, true)
  t.equal(proxy.connections, 1)
})

test('cut resets open connections and serves new ones', async t => {
  const proxy = await startProxy(t, await startEcho(t))
  const before = new Client(t, proxy.port)
  before.socket.write('a')
  await eventually('the connection works', () => before.received === 'a')
  proxy.cut()
  await eventually('the connection is reset', () => before.failure === 'ECONNRESET')
  const after = new Client(t, proxy.port)
  after.socket.write('b')
  await eventually('a new connection works', () => after.received === 'b')
})

test('refuse lets nobody in until the mode is pass again, on the same port', async t => {
  const proxy = await startProxy(t, await startEcho(t))
  const { port } = proxy
  const before = new Client(t, port)
  before.socket.write('a')
  await eventually('the connection works', () => before.received === 'a')
  await proxy.set('refuse')
  await eventually('the open connection is reset', () => before.failure === 'ECONNRESET')
  const refused = new Client(t, port)
  await eventually('a new connection is refused', () => refused.failure === 'ECONNREFUSED')
  await proxy.set('pass')
  t.equal(proxy.port, port)
  const after = new Client(t, port)
  after.socket.write('b')
  await eventually('a new connection works', () => after.received === 'b')
})

test('a black hole keeps connections open and silent; what was held back arrives when it ends', async t => {
  const proxy = await startProxy(t, await startEcho(t))
  const before = new Client(t, proxy.port)
  before.socket.write('a')
  await eventually('the connection works', () => before.received === 'a')
  await proxy.set('black_hole')
  before.socket.write('b')
  const during = new Client(t, proxy.port)
  during.socket.write('c')
  await eventually('the new connection is accepted', () => proxy.connections === 2)
  // What the proxy forwards would come before the answer to a connection that does not go through it.
  const beside = new Client(t, await startEcho(t))
  beside.socket.write('d')
  await eventually('time enough has passed for an echo', () => beside.received === 'd')
  t.same([before.received, during.received], ['a', ''])
  t.same([before.failure, during.failure], [undefined, undefined])
  await proxy.set('pass')
  await eventually('held-back bytes arrive', () => before.received === 'ab' && during.received === 'c')
})

test('eventually gives what the probe found, and otherwise says what it waited for and what came last', async t => {
  let calls = 0
  t.equal(await eventually('a third call', () => (++calls === 3 ? calls : undefined)), 3)
  t.equal(
    await eventually('an error to pass', () => {
      if (++calls < 6) throw new Error('not yet')
      return 'done'
    }),
    'done',
  )
  await t.rejects(
    eventually('pigs to fly', () => Promise.reject(new Error('no wings')), { withinMs: 1, everyMs: 1 }),
    { message: 'not within 1 ms: pigs to fly (last: no wings)' },
  )
})
