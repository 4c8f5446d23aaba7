/** The connection to NATS outlives what goes wrong on the other side. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { connectNats, followConnection } from '../../engine/nats/connection.js'
import { eventually } from '../support/eventually.js'
import { startNats } from '../support/servers.js'

const auth = (password: string) => `authorization { user: millrace, password: ${password} }`

test('a server that refuses the credentials for a while is not given up', async t => {
  const right = await startNats(t, { config: auth('right') })
  const settings = { servers: [`127.0.0.1:${right.port}`], user: 'millrace', password: 'right' }
  const connection = await connectNats(settings, 'test')
  t.teardown(() => connection.close())
  const links: string[] = []
  void followConnection(connection, { lost: () => links.push('lost'), back: () => links.push('back') })
  await right.stop()
  // As when a changed password reaches the server before it reaches its clients.
  const wrong = await startNats(t, { port: right.port, config: auth('wrong') })
  await eventually('it was refused a few times', async () => {
    if (connection.isClosed()) throw new Error('the client gave up')
    const log = await readFile(join(wrong.folder, 'nats.log'), 'utf8')
    return log.split('authentication error').length > 4
  })
  await wrong.stop()
  await right.start()
  await eventually('the link is back', () => links.at(-1) === 'back')
  t.equal(connection.isClosed(), false)
})

test('a server that is away for a while is not given up, and its client says so', async t => {
  const nats = await startNats(t)
  const connection = await connectNats({ servers: [`127.0.0.1:${nats.port}`] }, 'test')
  t.teardown(() => connection.close())
  const links: string[] = []
  void followConnection(connection, { lost: () => links.push('lost'), back: () => links.push('back') })
  await nats.kill()
  await eventually('it is noticed', () => links.includes('lost'))
  await nats.start()
  await eventually('the link is back', () => links.at(-1) === 'back')
})
