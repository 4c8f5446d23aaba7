/** The proxy of the tests fails in the ways it promises, and only in those. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.js'
import { startProxy, type TcpProxy } from '../support/proxy.js'

/** A server that says back what it hears, and keeps it. */
async function startEcho(t: Test): Promise<{ readonly port: number; readonly heard: () => string }> {
  let heard = ''
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', bytes => {
      heard += bytes.toString()
      socket.write(bytes)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { port: (server.address() as AddressInfo).port, heard: () => heard }
}

interface Client {
  readonly socket: Socket
  readonly received: () => string
}

async function dial(t: Test, proxy: TcpProxy): Promise<Client> {
  const socket = connect(proxy.port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  let received = ''
  socket.on('error', () => {})
  socket.on('data', bytes => (received += bytes.toString()))
  await once(socket, 'connect')
  return { socket, received: () => received }
}

const says = (what: string, where: () => string): Promise<unknown> => eventually(what, () => where() === what)

t.test('one way dropped: the other one goes on, and nothing is lost', async t => {
  const echo = await startEcho(t)
  const proxy = await startProxy(t, echo.port)
  const client = await dial(t, proxy)
  await proxy.set('drop_to_client')
  client.socket.write('a')
  await says('a', echo.heard)
  t.equal(client.received(), '')
  await proxy.set('drop_to_server')
  await says('a', client.received)
  client.socket.write('b')
  const other = await dial(t, proxy)
  other.socket.write('c')
  await proxy.set('pass')
  await says('ab', client.received)
  await says('c', other.received)
})

t.test('delayed: bytes arrive that much later, in order', async t => {
  const proxy = await startProxy(t, (await startEcho(t)).port)
  const client = await dial(t, proxy)
  await proxy.set({ delayMs: 100 })
  const sentAt = performance.now()
  client.socket.write('a')
  client.socket.write('b')
  await says('ab', client.received)
  t.ok(performance.now() - sentAt >= 190, 'both ways')
})

t.test('throttled: no faster than that', async t => {
  const proxy = await startProxy(t, (await startEcho(t)).port)
  const client = await dial(t, proxy)
  await proxy.set({ bytesPerSecond: 10_000 })
  const sentAt = performance.now()
  client.socket.write('x'.repeat(1_000))
  await eventually('the first thousand is back', () => client.received().length === 1_000)
  client.socket.write('x'.repeat(1_000))
  await eventually('the second thousand is back', () => client.received().length === 2_000)
  t.ok(performance.now() - sentAt >= 95, 'the second one has waited for the first')
})

t.test('a held request arrives when it is released, although its client has gone', async t => {
  const echo = await startEcho(t)
  const proxy = await startProxy(t, echo.port)
  const client = await dial(t, proxy)
  const held = proxy.hold(bytes => bytes.includes('keep'))
  client.socket.write('first ')
  await says('first ', echo.heard)
  client.socket.write('keep me')
  await held.caught
  client.socket.end()
  client.socket.destroy()
  const other = await dial(t, proxy)
  other.socket.write('other ')
  await says('first other ', echo.heard)
  held.release()
  await says('first other keep me', echo.heard)
  t.equal(other.received(), 'other ')
})

t.test('forgotten connections stay open and silent, new ones work', async t => {
  const echo = await startEcho(t)
  const proxy = await startProxy(t, echo.port)
  const client = await dial(t, proxy)
  client.socket.write('a')
  await says('a', client.received)
  proxy.forget()
  client.socket.write('b')
  const other = await dial(t, proxy)
  other.socket.write('c')
  await says('c', other.received)
  await proxy.set('pass')
  other.socket.write('d')
  await says('cd', other.received)
  t.equal(echo.heard(), 'acd')
  t.equal(client.received(), 'a')
  t.notOk(client.socket.destroyed)
})

t.test('what the server sends goes through the filter of its connection', async t => {
  const proxy = await startProxy(t, (await startEcho(t)).port)
  proxy.filterToClient(() => {
    let pieces = 0
    return bytes => (pieces++ === 0 ? Buffer.from('filtered') : bytes)
  })
  for (const name of ['one', 'two']) {
    const client = await dial(t, proxy)
    client.socket.write(name)
    await says('filtered', client.received)
    client.socket.write(name)
    await says(`filtered${name}`, client.received)
    t.equal(client.received(), `filtered${name}`)
  }
})
