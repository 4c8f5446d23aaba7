/** The whole engine on real servers: events in, profiles and triggers out, each exactly once. */
import { connect } from 'node:net'
import { test } from 'tap'
import { defineOperator, decodeJson, dedupe } from '../../engine/millrace.js'
import type { TestEvent } from '../support/broker.js'
import { eventually } from '../support/eventually.js'
import { idOf, poison, userOf, visit, visits } from '../support/visits.js'
import { triggered, users, visitsOf, world } from '../support/world.js'

test('every event changes its profile once and leads to its triggers once', async t => {
  const { broker, start } = await world(t)
  const engine = await start()
  const sent = visitsOf(400)
  await broker.publish(...sent)
  await eventually('all triggers are out', async () => (await broker.count('TRIGGERS')) >= 400 + users.length)
  await engine.idle()

  t.strictSame((await triggered(broker)).sort(), sent.map(idOf).sort())
  for (const user of users) {
    const { view, isStale } = (await engine.engine.profile(user))!
    t.match(view.traits, { visits: 20, total: 20 }, user)
    t.equal(isStale, false)
  }
  const all = await broker.read('TRIGGERS')
  const regular = all.filter(({ subject }) => subject.startsWith('triggers.regular.'))
  t.strictSame(regular.map(message => message.json<{ key: string }>().key).sort(), [...users].sort())
  for (const message of regular) t.same(message.json<{ data: unknown }>().data, { total: 3 })
  t.equal((await broker.read('SEGMENTS')).length, users.length)
  t.equal(new Set(all.map(({ headers }) => headers['Nats-Msg-Id'])).size, all.length, 'ids are unique')
  t.equal(await engine.metric('millrace_events_applied_total'), 400)
  t.equal(await engine.engine.profile('nobody'), undefined)
})

test('a trigger says what, about whom, when and after which event', async t => {
  const { broker, start } = await world(t)
  await start()
  const sent = visit('ada lovelace')
  const [seq] = await broker.publish(sent)
  await eventually('the trigger is out', async () => (await broker.count('TRIGGERS')) === 1)
  const [trigger] = await broker.read('TRIGGERS')
  const stored = (await broker.read('EVENTS'))[0]!
  const partition = stored.subject.split('.')[1]!
  t.equal(trigger!.subject, `triggers.seen.${partition}`)
  const id = trigger!.headers['Nats-Msg-Id']!
  t.match(id, new RegExp(`^visits-[0-9a-f]{8}:${partition}:${seq}:\\d+$`))
  t.match(trigger!.headers, { 'Millrace-Key': 'ada lovelace', 'Millrace-Position': /^1:\d+$/ })
  const brokerMs = (await broker.manager.streams.getMessage('EVENTS', { seq: seq! })).time.getTime()
  t.strictSame(trigger!.json(), {
    id,
    trigger: 'seen',
    profile: 'visitor',
    key: 'ada lovelace',
    at: brokerMs,
    seq,
    data: { id: idOf(sent) },
  })
})

test('an event that comes twice counts once', async t => {
  const { broker, start } = await world(t)
  const engine = await start()
  const sent = visitsOf(20)
  await broker.publish(...sent, ...sent)
  await broker.publish(...sent)
  await eventually('all are read', async () => (await engine.metric('millrace_events_total')) === 60)
  await engine.idle()
  t.strictSame((await triggered(broker)).sort(), sent.map(idOf).sort())
  t.equal(await engine.metric('millrace_events_dropped_total', 'reason="duplicate"'), 40)
})

test('what was seen before a restart is known after it', async t => {
  const { broker, start } = await world(t)
  const first = await start()
  const sent = visitsOf(20)
  await broker.publish(...sent)
  await eventually('all are read', async () => (await first.metric('millrace_events_total')) === 20)
  await first.stop()
  const second = await start()
  await broker.publish(...sent, visit('bob'))
  await eventually('all are read', async () => (await second.metric('millrace_events_total')) === 21)
  t.equal(await second.metric('millrace_events_dropped_total', 'reason="duplicate"'), 20)
})

const bursting = defineOperator({
  name: 'burst',
  summary: 'Throws when told.',
  options: {},
  cost: 'Nothing.',
  create: () => ({
    process: event => {
      const { note } = event.value as { note?: string }
      if (note === 'burst') throw new Error('burst\r\nInjected: header')
      // A mistake that the compiler catches and JavaScript does not.
      if (note === 'nothing') return undefined as never
      if (note === 'children') return [event, 'no event'] as never
      return event
    },
  }),
})

const withBurst = () => visits({ stages: [decodeJson({ key: 'user' }), bursting(), dedupe()] })

interface BadEvent {
  readonly title: string
  readonly event: TestEvent
  readonly stage: string
  readonly reason: string
  readonly error: RegExp
}

const badEvents: readonly BadEvent[] = [
  {
    title: 'that is not JSON',
    event: { type: 'visit', key: 'ada', payload: Buffer.from([0x7b, 0xff, 0x00]), headers: { 'X-Trace': 'abc' } },
    stage: 'decode_json',
    reason: 'not_json',
    error: /UTF-8/,
  },
  {
    title: 'that an operator throws on',
    event: { ...visit('ada', { note: 'burst' }), headers: { 'X-Trace': 'abc', 'Nats-Expected-Stream': 'EVENTS' } },
    stage: 'burst',
    reason: 'operator_error',
    error: /^burst Injected: header$/,
  },
  {
    title: 'that an operator answers with nothing',
    event: visit('ada', { note: 'nothing' }),
    stage: 'burst',
    reason: 'operator_error',
    error: /undefined/,
  },
  {
    title: 'that an operator answers with something else among events',
    event: visit('ada', { note: 'children' }),
    stage: 'burst',
    reason: 'operator_error',
    error: /./,
  },
  {
    title: 'that a trait throws on',
    event: visit('ada', { note: poison }),
    stage: 'profile',
    reason: 'fold_error',
    error: /indigestible/,
  },
  {
    title: 'of the year 2099',
    event: visit('ada', { occurredAt: Date.UTC(2099, 0) } as object),
    stage: 'profile',
    reason: 'from_the_future',
    error: /after the broker received it/,
  },
  {
    title: 'that would grow its profile past the cap',
    event: visit('ada', { note: 'x'.repeat(3_000) }),
    stage: 'profile',
    reason: 'profile_too_large',
    error: /the cap is 2048/,
  },
  {
    title: 'whose key is not the one of its subject',
    event: { ...visit(userOf(1)), key: userOf(2) },
    stage: 'profile',
    reason: 'wrong_partition',
    error: /belongs to partition 1, not 2/,
  },
]

test('a bad event becomes a dead letter, and the events around it count', async t => {
  const { broker, start } = await world(t)
  const engine = await start(withBurst())
  const good = badEvents.flatMap(() => [visit('ada'), visit(userOf(2))])
  const mixed = badEvents.flatMap(({ event }, i) => [good[2 * i]!, event, good[2 * i + 1]!])
  const sequences = await broker.publish(...mixed)
  await eventually('all are dead letters', async () => (await broker.count('DEADLETTERS')) >= badEvents.length)
  await eventually('the good ones count', async () => (await triggered(broker)).length >= good.length)
  await engine.idle()

  t.strictSame((await triggered(broker)).sort(), good.map(idOf).sort())
  const letters = await broker.read('DEADLETTERS')
  t.equal(letters.length, badEvents.length)
  const events = await broker.read('EVENTS')
  for (const { title, event, stage, reason, error } of badEvents) {
    const sequence = sequences[mixed.indexOf(event)]!
    const letter = letters.find(({ headers }) => headers['Millrace-Sequence'] === String(sequence))
    if (letter === undefined) {
      t.fail(`no dead letter for the event ${title}`)
      continue
    }
    const stored = events.find(({ seq }) => seq === sequence)!
    t.strictSame(letter.bytes, stored.bytes, `${title}: the original bytes`)
    t.match(letter.subject, new RegExp(`^deadletters\\.${stage}\\.${reason}\\.\\d+$`), title)
    t.match(
      letter.headers,
      {
        'Millrace-Stage': stage,
        'Millrace-Reason': reason,
        'Millrace-Error': error,
        'Millrace-Stream': 'EVENTS',
        'Millrace-Subject': stored.subject,
        ...(event.headers?.['X-Trace'] === undefined ? {} : { 'X-Trace': event.headers['X-Trace'] }),
      },
      title,
    )
    t.notOk(letter.headers['Injected'], title)
    t.equal(
      await engine.metric('millrace_events_dead_lettered_total', `stage="${stage}"`, `reason="${reason}"`),
      badEvents.filter(other => other.stage === stage && other.reason === reason).length,
    )
  }
})

test('an event as large as the server takes becomes a dead letter and holds nothing up', async t => {
  const { broker, start } = await world(t)
  const engine = await start()
  const size = broker.connection.info!.max_payload - 64
  await broker.publish({ type: 'visit', key: 'ada', payload: Buffer.alloc(size, 'x') }, visit('ada'))
  await eventually('the dead letter is out', async () => (await broker.count('DEADLETTERS')) === 1)
  await eventually('the next event counts', async () => (await broker.count('TRIGGERS')) === 1)
  await engine.idle()
  const [letter] = await broker.read('DEADLETTERS')
  t.equal(letter!.headers['Millrace-Truncated-From'], String(size))
})

test('an event with headers that no client would write becomes a dead letter and holds nothing up', async t => {
  const { broker, servers, start } = await world(t)
  const engine = await start()
  const header = 'NATS/1.0\r\nX Trace Ü: 1\r\n\r\n'
  const [headerBytes, body] = [Buffer.byteLength(header), 'not JSON']
  const socket = connect(servers.nats.port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write('CONNECT {"verbose":false,"headers":true}\r\n')
  socket.write(`HPUB events.test.visit.ada ${headerBytes} ${headerBytes + body.length}\r\n${header}${body}\r\n`)
  await eventually('it is stored', async () => (await broker.count('EVENTS')) === 1)
  await broker.publish(visit('ada'))
  await eventually('the dead letter is out', async () => (await broker.count('DEADLETTERS')) === 1)
  await eventually('the next event counts', async () => (await broker.count('TRIGGERS')) === 1)
  await engine.idle()
  t.equal((await broker.read('DEADLETTERS'))[0]!.bytes.toString(), body)
})

test('an event published past the mapping, to a stored subject, is not counted for a foreign partition', async t => {
  const { broker, start } = await world(t)
  const engine = await start()
  const { payload } = visit(userOf(3))
  // Whatever the server makes of it, the profile belongs to partition 3 and nobody else may write it.
  await broker.connection.jetstream().publish('events.0.test.visit', JSON.stringify(payload))
  await eventually('it is somewhere', async () => {
    const events = await engine.metric('millrace_events_total')
    return events === 1
  })
  await engine.idle()
  const [stored] = await broker.read('EVENTS')
  const landed = Number(stored!.subject.split('.')[1])
  if (landed === 3) t.equal(await broker.count('TRIGGERS'), 1)
  else t.match((await broker.read('DEADLETTERS'))[0]!.subject, /^deadletters\.profile\.wrong_partition\./)
})

test('a definition that throws often is slow, not stuck', async t => {
  const { broker, start } = await world(t)
  const engine = await start()
  const sent = Array.from({ length: 40 }, (_, i) => visit(users[i % 5]!, i % 4 === 0 ? { note: poison } : {}))
  await broker.publish(...sent)
  await eventually('all are through', async () => (await broker.count('TRIGGERS')) >= 30)
  await engine.idle()
  t.equal(await broker.count('DEADLETTERS'), 10)
  t.equal((await triggered(broker)).length, 30)
})
