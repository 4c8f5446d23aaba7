/** The verbs as an operator meets them: the real program, its exit codes, and what it writes where. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'tap'
import { EngineProcess } from '../../examples/shop/demo-engine.js'
import { Broker, type TestEvent } from '../support/broker.js'
import { eventually } from '../support/eventually.js'
import {
  at,
  environment,
  execute,
  installation,
  main,
  nowhere,
  partitions,
  pipelineText,
  rows,
} from '../support/installation.js'
import { fenceOf, testOnEachNats } from '../support/nats-releases.js'
import { flushRedis } from '../support/redis.js'
import { startNats, startServers } from '../support/servers.js'

test('check ends with 1 while streams are missing, and with 0 after --provision', async t => {
  const { millrace } = installation(t, at(await startServers(t, { nats: { partitions } })))
  const missing = await millrace('check')
  t.equal(missing.code, 1)
  for (const name of ['EVENTS', 'TRIGGERS', 'SUPPRESSED', 'SEGMENTS', 'DEADLETTERS'])
    t.match(
      missing.stdout,
      new RegExp(
        `^no  NATS: provision_mismatch: stream "${name}" does not exist; "check --provision" creates it$`,
        'm',
      ),
    )
  const created = await millrace('check', '--provision')
  t.equal(created.code, 0)
  t.match(created.stdout, /^ok {2}streams created: EVENTS, /m)
  const good = await millrace('check')
  t.equal(good.code, 0)
  t.match(good.stdout, /^ok {2}streams and mapping are as needed$/m)
  t.match(good.stdout, /^ok {2}Redis answers/m)
  t.notMatch(good.stdout, /^no/m)
})

testOnEachNats('check says what becomes of a late publish', async (t, { release }) => {
  const servers = await startServers(t, { nats: { partitions, release } })
  const { millrace } = installation(t, at(servers))
  const { code, stdout } = await millrace('check', '--provision')
  t.equal(code, 0)
  const fence = fenceOf(servers.nats.version)
  const mark = fence === 'none' ? '--' : 'ok'
  t.match(stdout, new RegExp(`^${mark}  publish fence "${fence}": a late publish is `, 'm'))
  t.equal(stdout.match(/publish fence/g)?.length, 1)
  // Ten minutes is what Millrace asks of the streams that it makes.
  if (fence === 'none') t.match(stdout, /recognized by its id within 10 min/)
})

test('check names every mistake of a definition with its place, rule and value', async t => {
  const mistaken = pipelineText
    .replace(`window: '1h'`, `window: 'soon'`)
    .replace(`{ key: 'user' }`, `{ key: 'user', kee: 1 }`)
    .replace(`count('visit')`, `count('visit').within('fortnight')`)
  const { millrace } = installation(t, nowhere, mistaken)
  const { code, stderr } = await millrace('check')
  t.equal(code, 1)
  t.match(stderr, 'pipeline_invalid')
  t.match(stderr, /^ {2}- stages\[0\]\.kee is not an option; known are /m)
  t.match(stderr, /^ {2}- stages\[2\]\.window must be a duration such as "10m", got "soon"$/m)
  t.match(stderr, /^ {2}- profile\.traits\.visits\.within must be a duration such as "10m", got "fortnight"$/m)
})

test('check notes servers that cannot be reached without failing, and says what a memory costs', async t => {
  const { millrace } = installation(t)
  const { code, stdout } = await millrace('check', '--rate', '500')
  t.equal(code, 0)
  t.match(stdout, /^-- {2}NATS not checked: cannot connect to NATS at 127\.0\.0\.1:1: /m)
  t.match(stdout, /^-- {2}Redis not checked: /m)
  // 500 a second for an hour, 8 bytes each in Redis and 16 in the process.
  t.match(stdout, /stage "dedupe" starts; remembers 60 min: at 500 events\/s 14\.4 MB in Redis, 28\.8 MB in memory$/m)
  t.notMatch(stdout, '\x1b', 'no colours')
})

test('unknown settings are all named, and no value is repeated', async t => {
  const { millrace } = installation(t, { colour: 'mauve', nats: { ...nowhere.nats, passwort: 'hunter2' } })
  const { code, stdout, stderr } = await millrace('check')
  t.equal(code, 1)
  t.match(stderr, /^ {2}- colour is not a setting/m)
  t.match(stderr, /^ {2}- nats\.passwort is not a setting; did you mean nats\.password\?$/m)
  t.notMatch(stdout + stderr, 'hunter2')
})

test('a wrong call ends with 2, help that was asked for with 0', async t => {
  const { millrace } = installation(t)
  const wrong = [
    ['nonsense'],
    [],
    ['check', '--rate', 'many'],
    ['deadletters', 'show', 'first'],
    ['profile', 'get'],
    ['partitions', 'resume', 'x'],
    ['partitions', 'resume', '99'],
    ['partitions', 'resume'],
    ['run', '--processes', '0'],
    ['run', '--processes', '65'],
    ['run', '--processes', 'all'],
  ]
  for (const args of wrong) {
    const { code, stdout, stderr } = await millrace(...args)
    t.equal(code, 2, `millrace ${args.join(' ')}`)
    t.equal(stdout, '')
    t.not(stderr, '')
  }
  const version = await millrace('--version')
  t.strictSame([version.code, version.stderr], [0, ''])
  t.match(version.stdout, /^\d+\.\d+\.\d+\n$/)
  const help = await millrace('--help')
  t.strictSame([help.code, help.stderr], [0, ''])
  for (const verb of ['run', 'check', 'profile', 'deadletters', 'partitions', 'demo', 'publish'])
    t.match(help.stdout, new RegExp(`^  ${verb}`, 'm'))
})

test('run with a wrong password ends with 1, says so, and keeps the password to itself', async t => {
  const nats = await startNats(t, { config: 'authorization { user: millrace, password: right }' })
  const login = { servers: [`127.0.0.1:${nats.port}`], user: 'millrace', password: 'hunter2' }
  const { millrace } = installation(t, { ...nowhere, nats: login })
  const { code, stdout, stderr } = await millrace('run')
  t.equal(code, 1)
  t.match(stderr, 'authentication_failed')
  t.notMatch(stdout + stderr, 'hunter2')
})

test('run ends with 0 on SIGTERM, at work and while it still waits for a server', async t => {
  const servers = await startServers(t, { nats: { partitions } })
  for (const [settings, sentence] of [
    [at(servers), 'engine starts'],
    [nowhere, 'waiting for a server'],
  ] as const) {
    const { config } = installation(t, settings)
    const child = spawn(process.execPath, [main, '--config', config, 'run'], { env: environment() })
    t.teardown(() => child.kill('SIGKILL'))
    let log = ''
    child.stderr.on('data', (bytes: Buffer) => void (log += bytes.toString()))
    await eventually(`it says "${sentence}"`, () => log.includes(sentence))
    child.kill('SIGTERM')
    t.strictSame(await once(child, 'exit'), [0, null])
  }
})

test('one pipeline from its first event to a lost Redis', async t => {
  const servers = await startServers(t, { nats: { partitions } })
  const { folder, config, millrace } = installation(t, at(servers))
  const engine = await EngineProcess.start(main, config, join(folder, 'engine.log'))
  t.teardown(() => engine.stop())
  await eventually('the engine is ready', async () => (await engine.status()).ready)
  const visit = (key: string, payload: unknown): TestEvent => ({ type: 'visit', key, payload })
  const garbage = Buffer.from([0x7b, 0x00, 0xff, 0x0a, 0x0d, 0x0a])
  const broker = await Broker.connect(t, servers.nats.url)
  await broker.publish(
    visit('ada', { user: 'ada', n: 1 }),
    visit('ada', { user: 'ada', n: 2 }),
    visit('bob', { user: 'bob', n: -1 }),
    { ...visit('eve', garbage), headers: { 'Trace-Id': 'abc' } },
  )
  await eventually('all are processed', async () => (await engine.metrics()).get('millrace_events_total') === 4)
  await eventually('dead letters are out', async () => (await broker.count('DEADLETTERS')) === 2)

  await t.test('profile get prints one profile as JSON', async t => {
    const { code, stdout } = await millrace('profile', 'get', 'ada')
    t.equal(code, 0)
    t.match(JSON.parse(stdout), { key: 'ada', traits: { visits: { value: 2 } }, stale: false })
  })

  await t.test('profile get says on standard error that there is none', async t => {
    const { code, stdout, stderr } = await millrace('profile', 'get', 'nobody')
    t.strictSame([code, stdout], [1, ''])
    t.match(stderr, 'no profile "nobody"')
  })

  await t.test('deadletters list shows the newest first and filters', async t => {
    const { code, stdout } = await millrace('deadletters', 'list')
    const [head, ...lines] = stdout.trimEnd().split('\n')
    t.equal(code, 0)
    t.match(head, /^number +stored +stage +reason +subject +sequence +error$/)
    t.equal(lines.length, 2)
    const numbers = rows((await millrace('deadletters', 'list', '--json')).stdout).map(row => row['number'])
    t.strictSame(numbers, [2, 1])
    const implausible = { stage: 'plausible', reason: 'rule', sequence: '3', error: 'positive' }
    for (const filter of ['--stage=plausible', '--reason=rule']) {
      const found = rows((await millrace('deadletters', 'list', '--json', filter)).stdout)
      t.equal(found.length, 1, filter)
      t.match(found[0], implausible)
    }
    t.equal(rows((await millrace('deadletters', 'list', '--json', '--limit', '1')).stdout).length, 1)
    const none = await millrace('deadletters', 'list', '--reason', 'schema')
    t.strictSame(none, { code: 0, stdout: '', stderr: 'no dead letters\n' })
  })

  await t.test('deadletters show gives the original bytes, and headers apart from them', async t => {
    const [letter] = rows((await millrace('deadletters', 'list', '--json', '--reason', 'not_json')).stdout)
    // Latin-1 gives every byte a character of its own.
    const shown = await execute(['--config', config, 'deadletters', 'show', String(letter!['number'])], 'latin1')
    t.equal(shown.code, 0)
    t.equal(shown.stdout, garbage.toString('latin1'))
    t.match(shown.stderr, /^Millrace-Stage: decode_json$/m)
    t.match(shown.stderr, /^Millrace-Reason: not_json$/m)
    t.match(shown.stderr, /Trace-Id: abc$/m)
    t.strictSame(await millrace('deadletters', 'show', '99'), { code: 1, stdout: '', stderr: 'no dead letter 99\n' })
  })

  await t.test('partitions list ends with 0, and there is nothing to resume, while all is well', async t => {
    const { code, stdout } = await millrace('partitions', 'list', '--json')
    t.equal(code, 0)
    t.strictSame(
      rows(stdout).map(({ partition, state }) => ({ partition, state })),
      Array.from({ length: partitions }, (_, partition) => ({ partition, state: 'ok' })),
    )
    const resumed = await millrace('partitions', 'resume', '1', '--accept-loss')
    t.strictSame(resumed, { code: 0, stdout: 'partition 1: nothing to resume\n', stderr: '' })
  })

  await engine.stop()
  await flushRedis(t, servers.redis.url)

  await t.test('a flushed Redis halts every partition until its loss is accepted', async t => {
    const list = await millrace('partitions', 'list')
    t.equal(list.code, 1)
    t.equal(list.stdout.match(/halt: state_lost/g)?.length, partitions)

    const refused = await millrace('partitions', 'resume', '0')
    t.strictSame([refused.code, refused.stdout], [1, ''])
    t.match(refused.stderr, /^partition 0: state_lost: .* Redis was flushed or swapped$/m)
    t.match(refused.stderr, '--accept-loss')

    const accepted = await millrace('partitions', 'resume', '0', '--accept-loss')
    t.equal(accepted.code, 0)
    t.match(accepted.stdout, /^partition 0: state_lost accepted/)
    t.equal((await millrace('partitions', 'resume', '--all', '--accept-loss')).code, 0)
    const again = await EngineProcess.start(main, config, join(folder, 'again.log'))
    t.teardown(() => again.stop())
    await eventually('the engine is ready', async () => (await again.status()).ready)
    t.equal((await millrace('partitions', 'list')).code, 0)
  })
})
