/** The publisher: every message is acknowledged or failed exactly once, in order, known again by its id. */
import type { StreamConfig } from 'nats'
import { test, type Test } from 'tap'
import type { MillraceError } from '../../engine/errors.js'
import { connectNats } from '../../engine/nats/connection.js'
import { Publisher } from '../../engine/nats/publisher.js'
import type { BatchConfig } from '../../engine/nats/streams.js'
import { Broker } from '../support/broker.js'
import { eventually } from '../support/eventually.js'
import { testOnEachNats } from '../support/nats-releases.js'
import { startProxy } from '../support/proxy.js'
import { startNats } from '../support/servers.js'

interface Answer {
  readonly number: number
  readonly failure: MillraceError | undefined
  readonly isDuplicate: boolean
}

async function open(t: Test, release: Parameters<typeof startNats>[1] = {}) {
  const nats = await startNats(t, release)
  const broker = await Broker.connect(t, nats.url)
  await broker.manager.streams.add({ name: 'OUT', subjects: ['out.*'] })
  const proxy = await startProxy(t, nats.port)
  const connection = await connectNats({ servers: [`127.0.0.1:${proxy.port}`] }, 'test')
  t.teardown(() => connection.close())
  const publisher = new Publisher(connection)
  t.teardown(() => publisher.close())
  const answers: Answer[] = []
  const publish = (number: number, subject = 'out.a') => {
    const fields = ['Nats-Msg-Id', `id-${number}`, 'Number', String(number)]
    publisher.publish(subject, Buffer.from(`body ${number}`), fields, (failure, isDuplicate) => {
      answers.push({ number, failure, isDuplicate })
    })
  }
  const answered = (count: number) => eventually(`${count} answers`, () => answers.length >= count)
  return { nats, broker, proxy, publisher, publish, answers, answered }
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)

testOnEachNats('everything is stored in order with its headers, and acknowledged once', async (t, nats) => {
  const { broker, publish, answers, answered } = await open(t, nats)
  for (const number of numbers(1_000)) publish(number)
  await answered(1_000)
  const stored = await broker.read('OUT')
  t.strictSame(
    stored.map(({ headers }) => Number(headers['Number'])),
    numbers(1_000),
  )
  t.match(stored[7], { subject: 'out.a', headers: { 'Nats-Msg-Id': 'id-7' } })
  t.equal(stored[7]!.bytes.toString(), 'body 7')
  t.equal(answers.length, 1_000)
  for (const { failure, isDuplicate } of answers) if (failure !== undefined || isDuplicate) t.fail(String(failure))
})

testOnEachNats('what the stream has already is acknowledged as a duplicate', async (t, nats) => {
  const { broker, publish, answers, answered } = await open(t, nats)
  publish(1)
  publish(1)
  publish(2)
  await answered(3)
  t.strictSame(
    answers.map(({ number, failure, isDuplicate }) => [number, failure, isDuplicate]),
    [
      [1, undefined, false],
      [1, undefined, true],
      [2, undefined, false],
    ],
  )
  t.equal(await broker.count('OUT'), 2)
})

testOnEachNats('a stream may be called as what an acknowledgement says', async (t, nats) => {
  const { broker, publish, answers, answered } = await open(t, nats)
  for (const name of ['error', 'duplicate', 'seq']) {
    await broker.manager.streams.add({ name, subjects: [`${name}.*`] })
    publish(answers.length, `${name}.a`)
    await answered(answers.length + 1)
  }
  for (const answer of answers) t.match(answer, { failure: undefined, isDuplicate: false })
})

testOnEachNats('a subject that no stream takes fails at once', async (t, nats) => {
  const { publish, answers, answered } = await open(t, nats)
  publish(1, 'nowhere.a')
  publish(2)
  await answered(2)
  t.match(answers.find(({ number }) => number === 1)!.failure, { code: 'publish_failed', message: /no stream takes/ })
  t.equal(answers.find(({ number }) => number === 2)!.failure, undefined)
})

testOnEachNats('what the stream refuses fails with its reason', async (t, nats) => {
  const { broker, publish, answers, answered } = await open(t, nats)
  const { config } = await broker.manager.streams.info('OUT')
  await broker.manager.streams.update('OUT', { ...config, max_msg_size: 10 })
  publish(1)
  await answered(1)
  t.match(answers[0]!.failure, { code: 'publish_failed', message: /maximum/ })
})

testOnEachNats('what is larger than the server takes fails and holds nothing up', async (t, nats) => {
  const { publisher, publish, answers, answered } = await open(t, nats)
  const failures: unknown[] = []
  publisher.publish('out.a', Buffer.alloc(2_000_000), ['Nats-Msg-Id', 'large'], failure => failures.push(failure))
  publish(1)
  await answered(1)
  t.equal(answers[0]!.failure, undefined)
  await eventually('it has failed', () => failures.length === 1)
  t.match(failures, [{ code: 'publish_failed' }])
})

testOnEachNats('when the link is lost everything unanswered fails, and sent again is known again', async (t, nats) => {
  const { broker, proxy, publish, publisher, answers, answered } = await open(t, nats)
  await proxy.set('black_hole')
  for (const number of numbers(20)) publish(number)
  proxy.cut()
  await answered(20)
  const failed = answers.splice(0)
  for (const { failure } of failed) t.equal(failure?.code, 'publish_failed')
  t.equal(failed.length, 20, 'once each')

  await eventually('the publisher knows', () => !publisher.isConnected)
  publish(100)
  await answered(1)
  t.match(answers.splice(0), [{ number: 100, failure: { code: 'publish_failed' } }], 'without a link it fails at once')

  await proxy.set('pass')
  await eventually('the link is back', () => publisher.isConnected)
  for (const number of numbers(20)) publish(number)
  await answered(20)
  t.strictSame(
    (await broker.read('OUT')).map(({ headers }) => Number(headers['Number'])),
    numbers(20),
  )
})

test('an acknowledgement that does not come is not waited for for ever', async t => {
  const { proxy, publish, answers, answered } = await open(t)
  await proxy.set('black_hole')
  publish(1)
  await answered(1)
  t.match(answers, [{ failure: { code: 'publish_failed' } }])
})

test('closing fails what is unanswered', async t => {
  const { proxy, publish, publisher, answers } = await open(t)
  await proxy.set('black_hole')
  publish(1)
  publisher.close()
  t.match(answers, [{ number: 1, failure: { code: 'publish_failed', message: /closed/ } }])
})

interface Group {
  readonly failure: MillraceError | undefined
  readonly isDuplicate: boolean
  readonly streamSeq: number
}

for (const isFast of [true, false]) {
  const kind = isFast ? 'a fast batch' : 'an atomic batch'

  async function openGroups(t: Test) {
    const { broker, publisher } = await open(t, { release: 'current' })
    const { config } = await broker.manager.streams.info('OUT')
    const batches: BatchConfig & StreamConfig = {
      ...config,
      allow_atomic: true,
      allow_batched: true,
      max_msg_size: 1_000,
    }
    await broker.manager.streams.update('OUT', batches)
    const publish = (numbers: readonly number[], lastSeq: number, large?: number): Promise<Group> => {
      const group = numbers.map(number => ({
        subject: `out.${'ab'[number % 2]}`,
        body: Buffer.alloc(number === large ? 2_000 : 1),
        fields: ['Nats-Msg-Id', `id-${number}`, 'Number', String(number)],
      }))
      return new Promise(resolve => {
        publisher.publishGroup(group, { filter: 'out.*', lastSeq, isFast }, (failure, isDuplicate, streamSeq) =>
          resolve({ failure, isDuplicate, streamSeq }),
        )
      })
    }
    const stored = async () => (await broker.read('OUT')).map(({ headers }) => Number(headers['Number']))
    return { publish, stored }
  }

  test(`${kind} is stored in order and acknowledged with its last place`, async t => {
    const { publish, stored } = await openGroups(t)
    const [first, second] = [numbers(300), [300, 301]]
    t.match(await publish(first, 0), { failure: undefined, isDuplicate: false, streamSeq: 300 })
    t.match(await publish(second, 300), { failure: undefined, isDuplicate: false, streamSeq: 302 })
    t.strictSame(await stored(), [...first, ...second])
  })

  test(`${kind} that does not follow what is stored is refused, all of it`, async t => {
    const { publish, stored } = await openGroups(t)
    await publish([0, 1, 2], 0)
    t.match(await publish([3, 4, 5], 2), { failure: { code: 'publish_failed', message: /wrong last sequence/ } })
    t.strictSame(await stored(), [0, 1, 2])
    t.match(await publish([3, 4, 5], 3), { failure: undefined, streamSeq: 6 }, 'and the same can follow after that')
    t.strictSame(await stored(), [0, 1, 2, 3, 4, 5])
  })

  test(`of ${kind} nothing is stored behind a message that is refused`, async t => {
    const { publish, stored } = await openGroups(t)
    t.match(await publish([0, 1, 2, 3], 0, 2), { failure: { code: 'publish_failed' } })
    t.strictSame(await stored(), isFast ? [0, 1] : [])
  })

  test(`${kind} that is there already is not stored again`, async t => {
    const { publish, stored } = await openGroups(t)
    await publish([0, 1, 2], 0)
    const { failure } = await publish([0, 1, 2], 3)
    // A leader that has only proposed them would say the same of a fast batch.
    t.match(failure, { code: 'publish_failed', message: isFast ? /stored nothing/ : /duplicate/ })
    t.strictSame(await stored(), [0, 1, 2])
  })
}
