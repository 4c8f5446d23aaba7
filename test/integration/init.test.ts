/** As process 1 of a container, which no signal of its own processes ends. In a namespace of processes, where the kernel allows one. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { test, type Test } from 'tap'
import { eventually } from '../support/eventually.js'
import { at, environment, installation, main, partitions, visitOf } from '../support/installation.js'
import { startServers } from '../support/servers.js'
import { Broker } from '../support/broker.js'

/** The first process of its own namespace; with it ends everything in there. */
const container = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc']
const isAllowed = spawnSync('unshare', [...container, 'true']).status === 0
const options = isAllowed ? {} : { skip: 'the kernel allows no namespaces here' }

const blocking = `
import { decodeJson, events, pipeline } from 'millrace'
const { profile, last } = events()
const forever = e => {
  while (e.user === 'blocks') {}
  return e.user
}
export default pipeline({
  name: 'visits',
  partitions: ${partitions},
  stages: [decodeJson({ key: 'user' })],
  profile: profile('visitor', { traits: { user: last('visit', forever) } }),
})
`

/** `millrace run` as process 1. */
async function start(t: Test, definition?: string) {
  const servers = await startServers(t, { nats: { partitions } })
  const settings = { ...at(servers), watchdog: { timeout: '1s' } }
  const { config } = installation(t, settings, definition)
  const child = spawn('unshare', [...container, process.execPath, main, '--config', config, 'run'], {
    env: environment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const said: string[] = []
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text))
  await eventually('all partitions run', () => {
    const text = said.join('')
    if (text.split('"partition runs"').length > partitions) return true
    throw new Error(text)
  })
  return { child, said, broker: await Broker.connect(t, servers.nats.url) }
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode
  const [code] = (await once(child, 'exit')) as [number | null]
  return code
}

test('a blocked event loop ends process 1 too, so that somebody starts it again', options, async t => {
  const { child, said, broker } = await start(t, blocking)
  const ended = exitOf(child)
  await broker.publish(visitOf('blocks'))
  t.equal(await ended, 137)
  t.match(said.join(''), /event loop is blocked, the process ends/)
})

test('SIGTERM reaches the engine, which stops in order', options, async t => {
  const { child, said } = await start(t)
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(child.pid)], { encoding: 'utf8' })
  const ended = exitOf(child)
  process.kill(Number(stdout), 'SIGTERM')
  t.equal(await ended, 0)
  t.match(said.join(''), /engine stopped/)
})
