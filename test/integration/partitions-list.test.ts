/** What `partitions list` says of owners, leases and halts. */
import { join } from 'node:path'
import { test } from 'tap'
import { partitionOf } from '../../engine/nats/partitioning.js'
import { EngineProcess } from '../../examples/shop/demo-engine.js'
import { Broker } from '../support/broker.js'
import { eventually } from '../support/eventually.js'
import { at, installation, main, partitions, rows, visitOf, type Ended } from '../support/installation.js'
import { redisClient } from '../support/redis.js'
import { startServers } from '../support/servers.js'

test('partitions list shows owners, whether they live, and how many events of each partition are left', async t => {
  const servers = await startServers(t, { nats: { partitions } })
  const settings = { ...at(servers), replica: { name: 'shop-0' }, lease: { ttl: '1s' } }
  const { folder, config, millrace } = installation(t, settings)
  const listed = async () => rows((await millrace('partitions', 'list', '--json')).stdout)
  const engine = await EngineProcess.start(main, config, join(folder, 'engine.log'))
  t.teardown(() => engine.stop())
  await eventually('the engine is ready', async () => (await engine.status()).ready)
  const broker = await Broker.connect(t, servers.nats.url)
  const visits = Array.from({ length: 30 }, (_, i) => visitOf(`ada-${i}`))
  await broker.publish(...visits)
  await eventually('all are processed', async () => (await engine.metrics()).get('millrace_events_total') === 30)
  for (const row of await listed()) {
    t.match(row, { owner: 'shop-0', lease: 'moving', leaseAgeIsLowerBound: false, pending: 0, state: 'ok' })
    t.ok(Number(row['leaseAgeMs']) < 1_000, 'less than a lease')
  }

  process.kill(engine.pid, 'SIGKILL')
  await broker.publish(...visits.slice(0, 20))
  const left = Array.from({ length: partitions }, () => 0)
  for (const { key } of visits.slice(0, 20)) left[partitionOf(key, partitions)]!++
  const after = await listed()
  t.strictSame(
    after.map(({ partition, owner, lease, pending }) => ({ partition, owner, lease, pending })),
    left.map((pending, partition) => ({ partition, owner: 'shop-0', lease: 'still', pending })),
  )
  for (const row of after) {
    t.equal(row['leaseAgeIsLowerBound'], true)
    t.ok(Number(row['leaseAgeMs']) >= 500, 'for half a lease at least')
  }
  const { stdout } = await millrace('partitions', 'list')
  t.match(stdout, /^partition +owner +lease age +position +pending +time +state$/m)
  t.match(stdout, /^ *0 +shop-0 +over \d\.\d s +\d+ +\d+ +\S+Z +ok$/m)
})

test('partitions list shows a halt that only the engine finds, as long as that engine lives', async t => {
  const servers = await startServers(t, { nats: { partitions } })
  const settings = { ...at(servers), replica: { name: 'shop-0' }, lease: { ttl: '1s' } }
  const { folder, config, millrace } = installation(t, settings)
  const engine = await EngineProcess.start(main, config, join(folder, 'engine.log'))
  t.teardown(() => engine.stop())
  await eventually('the engine is ready', async () => (await engine.status()).ready)
  const halted = partitionOf('ada', partitions)
  await redisClient(t, servers.redis.url).set(`mr:{visits:${halted}}:p:ada`, 'no profile')
  const broker = await Broker.connect(t, servers.nats.url)
  await broker.publish(visitOf('ada'))
  await eventually('the engine has read it', async () => {
    const { halts } = await engine.status()
    return halts.some(({ partition, reason }) => partition === halted && reason === 'profile_unreadable')
  })

  const states = ({ stdout }: Ended) => rows(stdout).map(({ lease, state }) => `${lease} ${state}`)
  const list = await millrace('partitions', 'list', '--json')
  t.equal(list.code, 1)
  const well = Array.from({ length: partitions }, () => 'moving ok')
  t.strictSame(states(list), well.with(halted, 'moving halt: profile_unreadable'), 'the others are well')
  const { code, stdout } = await millrace('partitions', 'list')
  t.equal(code, 1)
  t.match(stdout, new RegExp(`^ *${halted} +shop-0 +\\d\\.\\d s +\\d+ +1 .* +halt: profile_unreadable$`, 'm'))

  process.kill(engine.pid, 'SIGKILL')
  const after = await millrace('partitions', 'list', '--json')
  t.equal(after.code, 0, 'what a dead replica said proves nothing')
  t.strictSame(states(after), Array(partitions).fill('still ok'))
})

test('partitions list shows what was never processed as free and new', async t => {
  const servers = await startServers(t, { nats: { partitions } })
  const { millrace } = installation(t, at(servers))
  await millrace('check', '--provision')
  const broker = await Broker.connect(t, servers.nats.url)
  await broker.publish(visitOf('ada'), visitOf('ada'))
  const list = rows((await millrace('partitions', 'list', '--json')).stdout)
  t.strictSame(
    list,
    Array.from({ length: partitions }, (_, partition) => ({
      partition,
      lease: 'none',
      pending: partition === partitionOf('ada', partitions) ? 2 : 0,
      state: 'new',
    })),
  )
})
