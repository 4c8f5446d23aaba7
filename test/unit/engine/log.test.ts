import t from 'tap'
import { MillraceError } from '../../../engine/errors.js'
import { createLog, silentLog, type LogLevel } from '../../../engine/log.js'

/** A log and the lines it has written. */
function record(level: LogLevel = 'info') {
  const written: string[] = []
  return {
    log: createLog(level, { write: line => void written.push(line) }),
    text: () => written.join(''),
    lines: () => written.map(line => JSON.parse(line) as Record<string, unknown>),
  }
}

const marker = 'ada@example.org'

/** What the parser of this Node says to a text that is no JSON; some of its messages repeat the text. */
function parseError(text: string): Error {
  try {
    JSON.parse(text)
  } catch (error) {
    return error as Error
  }
  throw new Error(`is JSON: ${text}`)
}

t.test('a line holds time, level, the fields and the sentence', async t => {
  const { log, lines } = record()
  log.info({ partition: 3 }, 'partition attached')
  t.match(lines(), [{ level: 'info', partition: 3, msg: 'partition attached', time: /^\d{4}-\d\d-\d\dT.*Z$/ }])
  t.strictSame(Object.keys(lines()[0]!).sort(), ['level', 'msg', 'partition', 'time'])
})

t.test('lines below the level are not written, those at it are', async t => {
  const { log, lines } = record('warn')
  log.error({}, 'one')
  log.warn({}, 'two')
  log.info({}, 'three')
  log.debug({}, 'four')
  t.strictSame(
    lines().map(line => line['msg']),
    ['one', 'two'],
  )
})

t.test('a child adds its fields to every line', async t => {
  const { log, lines } = record()
  log.child({ pipeline: 'shop' }).child({ partition: 1 }).warn({ reason: 'x' }, 'halted')
  t.match(lines(), [{ pipeline: 'shop', partition: 1, reason: 'x', level: 'warn' }])
})

t.test('an error is described by name, text, code, place and causes, wherever it stands', async t => {
  const { log, lines } = record()
  const cause = Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' })
  const error = new MillraceError('redis_unavailable', 'cannot reach Redis', { cause })
  log.error({ error, inner: { list: [error] } }, 'failed')
  const described = {
    name: 'MillraceError',
    message: 'cannot reach Redis',
    code: 'redis_unavailable',
    stack: [/^at .*log\.test/],
    cause: { name: 'Error', message: 'connect refused', code: 'ECONNREFUSED' },
  }
  t.match(lines(), [{ error: described, inner: { list: [described] } }])
})

t.test('an error that stands for several describes each', async t => {
  const { log, lines } = record()
  log.error({ error: new AggregateError([new Error('first'), new Error('second')], '') }, 'failed')
  t.match(lines(), [{ error: { errors: [{ message: 'first' }, { message: 'second' }] } }])
})

t.test('no profile or payload is ever written', async t => {
  const { log, text } = record()
  // The shape of an ioredis error: the command's arguments are the profiles of a batch.
  const redis = Object.assign(new Error('WRONGTYPE'), {
    command: { name: 'evalsha', args: [marker, Buffer.from(marker)] },
  })
  const echoed = new Error(`ERR unknown command 'x', with args beginning with: '${marker}'\n'${marker}'`)
  const parsed = [`{ "${marker}`, `["${marker}\n"]`, marker, `x${marker}`, `{"a":1}${marker}`].map(parseError)
  for (const error of [redis, echoed, ...parsed]) {
    log.error({ error }, 'failed')
    log.error({ error: new MillraceError('redis_unavailable', 'lost', { cause: error }) }, 'failed')
    log.child({ error }).info({}, 'failed')
  }
  log.error({ error: new Error('threw', { cause: { email: marker } }) }, 'failed')
  log.error({ payload: Buffer.from(marker), bytes: new Uint8Array(Buffer.from(marker)) }, 'failed')
  t.notMatch(text(), 'ada@')
  t.notMatch(text(), 'example.org')
  t.notMatch(text(), Buffer.from(marker).toString('base64'))
  t.notMatch(text(), '97,100,97')
  t.match(text(), '15 bytes')
})

t.test('cycles, depth, long texts and big numbers do not stop the log', async t => {
  const { log, lines } = record()
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  const error = new Error('around')
  error.cause = error
  log.info({ cycle, error, long: 'x'.repeat(5000), big: 1n, none: undefined, nothing: null }, 'fine')
  t.equal(lines().length, 1)
  t.equal(String(lines()[0]!['long']).length, 2000)
  t.match(lines(), [{ big: '1', nothing: null }])
})

t.test('the silent log takes everything and writes nothing', async t => {
  t.doesNotThrow(() => {
    silentLog.child({ a: 1 }).error({}, 'x')
    for (const level of ['warn', 'info', 'debug'] as const) silentLog[level]({}, 'x')
  })
})
