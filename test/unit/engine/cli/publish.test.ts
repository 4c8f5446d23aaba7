import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ManualClock } from '../../../../engine/clock.js'
import { publishCommand, type PublishProgram } from '../../../../engine/cli/publish.js'
import type { EventPublisher } from '../../../../engine/cli/publish-window.js'

type Done = Parameters<EventPublisher['publish']>[3]

interface Sent {
  readonly subject: string
  readonly payload: string
  readonly fields: readonly string[]
}

interface Broker {
  /** Answers to the publishes, in turn; the last one stands for all further ones. */
  readonly answers?: readonly ((done: Done) => void)[]
  readonly program?: Partial<PublishProgram>
}

const stored = (done: Done) => queueMicrotask(() => done(undefined, false))
const duplicate = (done: Done) => queueMicrotask(() => done(undefined, true))
const refused = (done: Done) => queueMicrotask(() => done(new Error('no stream takes this subject'), false))

/** Runs the command on a file; says what was sent, written and returned. */
async function publish(
  t: Test,
  name: string,
  content: string,
  args: string[],
  { answers = [stored], program = {} }: Broker = {},
) {
  const sent: Sent[] = []
  const out: string[] = []
  const err: string[] = []
  let code: number | undefined
  let opened = 0
  let closed = 0
  const clock = new ManualClock()
  const command = publishCommand({
    stdout: { write: text => out.push(text) },
    stderr: { write: text => err.push(text) },
    env: {},
    clock,
    sleep: async ms => clock.advance(ms),
    signal: new AbortController().signal,
    fingerprint: () => 0n,
    root: () => 'events',
    connect: async () => {
      opened++
      return {
        publisher: {
          publish: (subject, payload, fields, done) => {
            sent.push({ subject, payload: Buffer.from(payload).toString(), fields })
            answers[Math.min(sent.length, answers.length) - 1]!(done)
          },
        },
        close: async () => void closed++,
      }
    },
    exit: status => (code = status),
    ...program,
  })
  command.exitOverride().configureOutput({ writeErr: text => void err.push(text) })
  const path = join(t.testdir({ [name]: content }), name)
  const failure = await command.parseAsync([path, ...args], { from: 'user' }).then(
    () => undefined,
    (error: { exitCode: number }) => error.exitCode,
  )
  t.equal(closed, opened, 'what was opened is closed')
  return { sent, out: out.join(''), err: err.join(''), code, failure, clock, opened }
}

const base = ['--source', 'web', '--key', 'user', '--type', 'viewed']
const three = '{"user":"a"}\n{"user":"b"}\n{"user":"c"}\n'

t.test('every event is published and acknowledged', async t => {
  const { sent, out, err, code } = await publish(t, 'x.ndjson', three, base)
  t.strictSame(sent, [
    { subject: 'events.web.viewed.a', payload: '{"user":"a"}', fields: [] },
    { subject: 'events.web.viewed.b', payload: '{"user":"b"}', fields: [] },
    { subject: 'events.web.viewed.c', payload: '{"user":"c"}', fields: [] },
  ])
  t.equal(code, 0)
  t.equal(out, '', 'standard output is for data')
  t.match(err, /^published 3 events \(0 already there, 0 bad lines\)/)
})

t.test('types and ids are read from the events, headers go with each', async t => {
  const args = [
    '--source',
    'web',
    '--key',
    'user',
    '--type-field',
    'what',
    '--id',
    'id',
    '--header',
    'A: 1',
    '--header',
    'B: 2',
  ]
  const { sent } = await publish(t, 'x.ndjson', '{"user":"a","what":"left","id":7}', args)
  t.match(sent, [{ subject: 'events.web.left.a', fields: ['A', '1', 'B', '2', 'Nats-Msg-Id', '7'] }])
})

t.test('CSV is published as JSON objects', async t => {
  const { sent } = await publish(t, 'x.csv', 'user,total,n\na,5,1\n', [...base, '--numeric', 'total,n'])
  t.match(sent, [{ payload: '{"user":"a","total":5,"n":1}' }])
})

t.test('events that the stream already has are counted', async t => {
  const { err, code } = await publish(t, 'x.ndjson', three, base, { answers: [duplicate, stored, duplicate] })
  t.match(err, /published 3 events \(2 already there/)
  t.equal(code, 0)
})

t.test('bad lines are said with their numbers and counted; the others are published', async t => {
  const { sent, err, code } = await publish(t, 'x.ndjson', '{"user":"a"}\nno\n{}\n{"user":"b"}\n', base)
  t.equal(sent.length, 2)
  t.match(err, 'x.ndjson:2 is not JSON\nx.ndjson:3 has no key at user\n')
  t.match(err, /published 2 events \(0 already there, 2 bad lines\)/)
  t.equal(code, 0)
})

t.test('an id that is another number once it is parsed is a bad line', async t => {
  const events = '{"user":"a","id":9007199254740993}\n{"user":"b","id":"9007199254740993"}\n'
  const { sent, err } = await publish(t, 'x.ndjson', events, [...base, '--id', 'id'])
  t.match(sent, [{ subject: 'events.web.viewed.b', fields: ['Nats-Msg-Id', '9007199254740993'] }])
  t.match(err, 'x.ndjson:1 has a number beyond 2^53 as id at id; it must be text\n')
})

t.test('a key or an id with a lone surrogate, which is another text once it is sent, is a bad line', async t => {
  const events = [
    '{"user":"\\ud83d\\ude00","id":"\\ufffd"}',
    '{"user":"a\\ud83d","id":"e2"}',
    '{"user":"ada","id":"\\ude00\\ud83d"}',
  ]
  const { sent, err } = await publish(t, 'x.ndjson', events.join('\n'), [...base, '--id', 'id'])
  t.match(sent, [{ subject: 'events.web.viewed.😀', fields: ['Nats-Msg-Id', '\ufffd'] }])
  t.equal(sent.length, 1)
  t.match(err, 'x.ndjson:2 has a lone surrogate in the key at user\nx.ndjson:3 has a lone surrogate in the id at id\n')
})

t.test('with --strict the first bad line ends the command, what was sent before is waited for', async t => {
  const { sent, err, code } = await publish(t, 'x.ndjson', '{"user":"a"}\nno\n{"user":"b"}\n', [...base, '--strict'])
  t.equal(sent.length, 1)
  t.match(err, /published 1 event /)
  t.equal(code, 1)
})

t.test('only the first twenty bad lines are shown', async t => {
  const { err } = await publish(t, 'x.ndjson', 'no\n'.repeat(30), base)
  t.equal(err.match(/is not JSON/g)?.length, 20)
  t.match(err, 'further bad lines are only counted')
  t.match(err, /30 bad lines/)
})

t.test('a refused event ends the command with its line and code 1', async t => {
  const { err, code } = await publish(t, 'x.ndjson', three, base, { answers: [stored, refused, stored] })
  t.match(err, 'x.ndjson:2 no stream takes this subject')
  t.equal(code, 1)
})

t.test('no more than the window holds is under way', async t => {
  const waiting: Done[] = []
  let most = 0
  const answer = (done: Done) => {
    waiting.push(done)
    most = Math.max(most, waiting.length)
    // Acknowledged only when the command has stopped to wait.
    setImmediate(() => waiting.splice(0).forEach(acknowledge => acknowledge(undefined, false)))
  }
  const { sent, code } = await publish(t, 'x.ndjson', '{"user":"a"}\n'.repeat(5000), base, { answers: [answer] })
  t.equal(sent.length, 5000)
  t.equal(most, 1000)
  t.equal(code, 0)
})

t.test('a rate is kept by the clock', async t => {
  const { clock, sent } = await publish(t, 'x.ndjson', three, [...base, '--rate', '4'])
  t.equal(sent.length, 3)
  t.equal(clock.monotonicMs() - new ManualClock().monotonicMs(), 500, 'the third event is due after two quarters')
})

t.test('a dry run prints subject, id and size and opens no connection', async t => {
  const { out, err, code, opened } = await publish(t, 'x.ndjson', three, [...base, '--id', 'user', '--dry-run'])
  t.equal(out, 'events.web.viewed.a\ta\t12\nevents.web.viewed.b\tb\t12\nevents.web.viewed.c\tc\t12\n')
  t.match(err, 'dry run: would publish 3 events (0 bad lines)')
  t.equal(code, 0)
  t.equal(opened, 0)
})

t.test('a stop ends reading; what is not published makes the code 1', async t => {
  const signal = AbortSignal.abort()
  const { sent, code } = await publish(t, 'x.ndjson', three, base, { program: { signal } })
  t.strictSame(sent, [])
  t.equal(code, 1)
})

t.test('a broker that cannot be reached is code 1', async t => {
  const connect = async () => Promise.reject(new Error('cannot connect to NATS'))
  const { err, code } = await publish(t, 'x.ndjson', three, base, { program: { connect } })
  t.match(err, 'cannot connect to NATS')
  t.equal(code, 1)
})

t.test('a file that is not what its name says is code 1', async t => {
  const { err, code } = await publish(t, 'x.avro', 'no Avro at all, but long enough', base)
  t.match(err, /^x\.avro: .*magic/)
  t.equal(code, 1)
})

t.test('a CSV file whose rest cannot be told apart is code 1', async t => {
  const { err, code } = await publish(t, 'x.csv', 'user,note\na,1\nb,"2\nc,3\n', base)
  t.equal(err, 'x.csv: has a quote that is never closed, after 1 good rows\n')
  t.equal(code, 1)
})

t.test('wrong usage is refused before anything is opened', async t => {
  const rest = base.slice(0, 4)
  const wrong: [name: string, args: string[], says: RegExp][] = [
    ['x.txt', base, /use --format/],
    ['x.csv', [...base, '--as', 'avro'], /--as avro needs an Avro file/],
    ['x.csv', rest, /one of --type and --type-field/],
  ]
  for (const [name, args, says] of wrong) {
    const { err, failure, opened, code } = await publish(t, name, '', args)
    t.match(err, says)
    t.strictSame([failure, opened, code], [2, 0, undefined], says.source)
  }
  const alsoWrong: [args: string[], says: RegExp][] = [
    [[...base, '--type-field', 'x'], /cannot be used with/],
    [[...base, '--rate', '0'], /above zero/],
    [[...base, '--rate', 'fast'], /above zero/],
    [[...base, '--header', 'none'], /Name: value/],
    [[...base, '--source', 'a.b'], /letters, digits/],
    [[...base, '--as', 'xml'], /Allowed choices/],
    [['--source', 'web', '--type', 'viewed'], /--key/],
  ]
  for (const [args, says] of alsoWrong) {
    const { err, failure, opened } = await publish(t, 'x.csv', '', args)
    t.match(err, says)
    t.ok(failure! > 0 && opened === 0, says.source)
  }
})

t.test('on a terminal there is progress, which is gone at the end', async t => {
  const written: string[] = []
  const stderr = { isTTY: true, write: (text: string) => written.push(text) }
  await publish(t, 'x.ndjson', three, [...base, '--rate', '4'], { program: { stderr } })
  t.match(written[0], /^\r\x1b\[K\[[#.]{24}\] 1 event$/)
  t.equal(written.at(-2), '\r\x1b[K')
  t.match(written.at(-1), /published 3 events/)
})
