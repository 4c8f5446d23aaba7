/** `millrace run --processes`: several engines under one supervisor, seen from outside. */
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test, type Test } from 'tap'
import { EngineProcess } from '../../examples/shop/demo-engine.js'
import { Broker, type TestEvent } from '../support/broker.js'
import { eventually } from '../support/eventually.js'
import { Exposition } from '../support/exposition.js'
import { fenceOf } from '../support/nats-releases.js'
import { startServers } from '../support/servers.js'

const main = fileURLToPath(new URL('../../engine/cli/main.js', import.meta.url))
const partitions = 4
const processes = 3

const pipelineText = `
import { decodeJson, events, pipeline } from 'millrace'
const { profile, count } = events<{ visit: { user: string } }>()
export default pipeline({
  name: 'visits',
  partitions: ${partitions},
  stages: [decodeJson({ key: 'user' })],
  profile: profile('visitor', { traits: { visits: count('visit') } }),
})
`
const users = Array.from({ length: 40 }, (_, i) => `ada-${i}`)
const visits: TestEvent[] = users.map(user => ({ type: 'visit', key: user, payload: { user } }))

interface Ready {
  readonly ready: boolean
  readonly publishFence?: string
  readonly replicas: readonly { readonly replica: string; readonly owned?: readonly number[] }[]
}

/** A supervisor with its replicas on servers of its own. */
async function start(t: Test, settings: object = {}) {
  const servers = await startServers(t, { nats: { partitions } })
  const folder = t.testdir({
    'pipeline.ts': pipelineText,
    'millrace.yaml': JSON.stringify({
      pipeline: 'pipeline.ts',
      processes,
      nats: { servers: [`127.0.0.1:${servers.nats.port}`] },
      redis: { url: servers.redis.socket },
      admin: { port: 0 },
      replica: { name: 'shop' },
      ...settings,
    }),
  })
  const log = join(folder, 'engine.log')
  const supervisor = await EngineProcess.start(main, join(folder, 'millrace.yaml'), log)
  t.teardown(() => supervisor.stop())
  const get = (path: string) => fetch(`${supervisor.url}${path}`)
  const ready = async () => (await (await get('/readyz')).json()) as Ready
  const metrics = async () => new Exposition(await (await get('/metrics')).text())
  const lines = async () =>
    (await readFile(log, 'utf8'))
      .split('\n')
      .flatMap(line => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []))
  const pids = async () => {
    const found = new Map<string, number>()
    for (const { msg, replica, pid } of await lines())
      if (msg === 'replica process starts') found.set(String(replica), Number(pid))
    return found
  }
  t.teardown(async () => [...(await pids()).values()].filter(isAlive).forEach(pid => process.kill(pid, 'SIGKILL')))
  await eventually('all partitions run, each replica has some', async () => {
    const { ready: isReady, replicas } = await ready()
    return isReady && replicas.every(({ owned = [] }) => owned.length > 0)
  })
  return { servers, supervisor, get, ready, metrics, lines, pids, broker: await Broker.connect(t, servers.nats.url) }
}

/** A dead process that nobody has waited for yet is dead all the same. */
function isAlive(pid: number): boolean {
  const { status, stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return status === 0 && !stdout.startsWith('Z')
}

test('three processes share the partitions behind one port; one that is killed comes back; SIGTERM stops all', async t => {
  const { servers, supervisor, get, ready, metrics, lines, pids, broker } = await start(t)
  const first = await ready()
  t.equal(first.publishFence, fenceOf(servers.nats.version))
  t.strictSame(
    first.replicas.map(({ replica }) => replica),
    ['shop-0', 'shop-1', 'shop-2'],
  )
  t.strictSame(first.replicas.flatMap(({ owned = [] }) => owned).sort(), [0, 1, 2, 3])

  await broker.publish(...visits)
  const page = await eventually('all are processed', async () => {
    const page = await metrics()
    return page.sum('millrace_events_applied_total') === visits.length ? page : undefined
  })
  t.strictSame(page.problems, [])
  t.equal(page.sum('millrace_replica_up'), processes)
  t.equal(page.sum('millrace_partition_owned'), partitions)
  for (const { replica, owned = [] } of first.replicas)
    t.equal(page.sum('millrace_partition_owned', { replica }), owned.length, replica)
  await checkWithPromtool(t, await (await get('/metrics')).text())
  t.match(await (await get('/v1/profiles/ada-7')).json(), { key: 'ada-7', traits: { visits: { value: 1 } } })
  t.equal((await get('/v1/profiles/nobody')).status, 404)
  t.equal((await get('/livez')).status, 200)
  t.equal((await get('/nowhere')).status, 404)

  const before = await pids()
  process.kill(before.get('shop-1')!, 'SIGKILL')
  await eventually('the port says so', async () => (await metrics()).sum('millrace_replica_up') < processes)
  await broker.publish(...visits)
  await eventually('it is back, and owns partitions again', async () => {
    const { ready: isReady, replicas } = await ready()
    return isReady && (replicas[1]?.owned ?? []).length > 0
  })
  t.equal((await metrics()).sum('millrace_replica_restarts_total', { replica: 'shop-1' }), 1)
  t.equal((await metrics()).sum('millrace_replica_restarts_total'), 1)
  t.ok((await lines()).some(({ msg, signal }) => msg === 'replica ended, it is started again' && signal === 'SIGKILL'))
  for (const user of users)
    await eventually(`${user} was seen twice`, async () => {
      const profile = (await (await get(`/v1/profiles/${user}`)).json()) as { traits: { visits: { value: number } } }
      return profile.traits.visits.value === 2
    })

  const all = [...(await pids()).values()]
  t.equal(all.length, processes)
  t.ok(all.every(isAlive))
  await supervisor.stop()
  t.strictSame(all.filter(isAlive), [])
  const said = (await lines()).map(({ msg }) => msg)
  t.equal(said.filter(msg => msg === 'engine stopped').length, processes, 'each had finished')
  t.equal(said.at(-1), 'replicas stopped')
})

test('when the supervisor is killed, no replica is left behind', async t => {
  const { supervisor, pids } = await start(t)
  const all = [...(await pids()).values()]
  process.kill(supervisor.pid, 'SIGKILL')
  await eventually('all are gone', () => !all.some(isAlive))
})

test('when no replica can start for a reason that stays, the supervisor ends and says it', async t => {
  const { nats, redis } = await startServers(t, { nats: { partitions } })
  const folder = t.testdir({
    'pipeline.ts': pipelineText,
    'millrace.yaml': JSON.stringify({
      pipeline: 'pipeline.ts',
      processes,
      nats: { servers: [`127.0.0.1:${nats.port}`] },
      redis: { url: `redis://nobody:wrong@127.0.0.1:${redis.port}` },
      admin: { port: 0 },
    }),
  })
  const words = [main, 'run', '-c', join(folder, 'millrace.yaml')]
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 60_000 })
  t.equal(status, 1)
  t.match(stderr.trimEnd().split('\n').at(-1), /^authentication_failed: .*WRONGPASS/)
})

test('a replica that does not stop is killed after the deadline', async t => {
  const { supervisor, pids, lines } = await start(t, { shutdown: { deadline: '1s' } })
  const all = await pids()
  process.kill(all.get('shop-2')!, 'SIGSTOP')
  await supervisor.stop()
  t.strictSame([...all.values()].filter(isAlive), [])
  const killed = (await lines()).filter(({ msg }) => msg === 'replica does not stop, it is killed')
  t.match(killed, [{ replica: 'shop-2' }])
  t.equal(killed.length, 1)
})

/** What Prometheus itself says about a page, where its tool is installed; names that the client library chose are its own. */
async function checkWithPromtool(t: Test, page: string): Promise<void> {
  const { error, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8' })
  if (error !== undefined) return
  const complaints = `${stdout}${stderr}`.split('\n').filter(line => line !== '' && !/^(nodejs|process)_/.test(line))
  t.strictSame(complaints, [])
}
