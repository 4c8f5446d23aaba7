import { join } from 'node:path'
import { connect, type NatsConnection } from 'nats'
import t, { type Test } from 'tap'
import { systemClock } from '../../engine/clock.js'
import { publishCommand } from '../../engine/cli/publish.js'
import { Publisher } from '../../engine/nats/publisher.js'
import { startNats } from '../support/servers.js'

async function open(t: Test): Promise<NatsConnection> {
  const server = await startNats(t)
  const connection = await connect({ servers: server.url })
  t.teardown(() => connection.close())
  return connection
}

/** Runs the command over the engine's own publisher. */
async function publish(connection: NatsConnection, path: string, args: string[]) {
  const written: string[] = []
  let code: number | undefined
  const command = publishCommand({
    stdout: { write: () => {} },
    stderr: { write: text => written.push(text) },
    env: {},
    clock: systemClock,
    sleep: async () => {},
    signal: new AbortController().signal,
    fingerprint: () => 0n,
    root: () => 'events',
    connect: async () => {
      const publisher = new Publisher(connection)
      return { publisher, close: async () => publisher.close() }
    },
    exit: status => (code = status),
  })
  await command.parseAsync([path, '--source', 'web', '--type', 'viewed', '--key', 'user', ...args], { from: 'user' })
  return { code, said: written.join('') }
}

t.test('a file is in the stream when the command ends, and once only when it is published again', async t => {
  const connection = await open(t)
  const manager = await connection.jetstreamManager()
  await manager.streams.add({ name: 'EVENTS', subjects: ['events.>'] })
  const lines = Array.from({ length: 3000 }, (_, at) => JSON.stringify({ id: `e${at}`, user: `user.${at % 7}` }))
  const path = join(t.testdir({ 'events.ndjson': lines.join('\n') }), 'events.ndjson')

  const first = await publish(connection, path, ['--id', 'id'])
  t.match(first, { code: 0, said: /published 3,000 events \(0 already there, 0 bad lines\)/ })
  const again = await publish(connection, path, ['--id', 'id'])
  t.match(again, { code: 0, said: /published 3,000 events \(3,000 already there/ })

  t.equal((await manager.streams.info('EVENTS')).state.messages, 3000)
  const stored = await manager.streams.getMessage('EVENTS', { seq: 11 })
  t.equal(Buffer.from(stored.data).toString(), lines[10], 'in the order of the file, byte by byte')
})

t.test('a subject that no stream takes is a failure with the line', async t => {
  const connection = await open(t)
  const path = join(t.testdir({ 'one.ndjson': '{"user":"a"}\n' }), 'one.ndjson')
  const { code, said } = await publish(connection, path, [])
  t.equal(code, 1)
  t.match(said, /one\.ndjson:1 no stream takes this subject/)
})
