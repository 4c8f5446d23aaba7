import { setImmediate as turn } from 'node:timers/promises'
import { mock } from 'node:test'
import { test, type Test } from 'tap'
import { Event } from '../../../engine/index.js'
import type { Stage } from '../../../engine/operator.js'
import { StageChain } from '../../../engine/stages.js'

const event = new Event(
  8,
  'web',
  'visit',
  1_000,
  { subject: 's', data: Buffer.from('') },
  undefined,
  '',
  undefined,
  1_000,
)

/** A run of one event through one stage. The bound runs when told; the tenth of a second before a retry is a real one. */
async function begin(t: Test, prepare: NonNullable<Stage['prepare']>) {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const failures: string[] = []
  const definition = {
    operator: 'load',
    name: 'load',
    fingerprint: '',
    problems: [],
    drops: [],
    rejects: [],
    memory: undefined,
    start: async () => ({ prepare, process: (passing: Event) => passing }),
  }
  const chain = await StageChain.start(
    [definition],
    { folder: '.', notice: () => undefined },
    {
      stage: () => undefined,
      dropped: () => undefined,
      prepareFailed: (_stage, error) => failures.push(error.message),
    },
  )
  const stopping = new AbortController()
  return { failures, stopping, run: chain.run([event], [undefined], stopping.signal) }
}

const never = (): Promise<void> => new Promise(() => {})

test('a prepare that never ends has failed after five seconds, and is tried again', async t => {
  const signals: AbortSignal[] = []
  const { failures, run } = await begin(t, (_batch, signal) => {
    signals.push(signal)
    return signals.length === 1 ? never() : Promise.resolve()
  })
  mock.timers.tick(4_999)
  await turn()
  t.strictSame(failures, [], 'patience')
  t.notOk(signals[0]!.aborted)
  mock.timers.tick(1)
  await turn()
  t.strictSame(failures, ['stage "load" could not prepare a batch of 1: not done within 5000 ms'])
  t.ok(signals[0]!.aborted, 'it is told that nobody waits any more')
  t.strictSame(await run, { survivors: [event], rejected: [] })
  t.equal(signals.length, 2)
})

test('a stop ends the wait for a prepare that never ends, and is no failure of it', async t => {
  const { failures, run, stopping } = await begin(t, never)
  const reason = new Error('stopping')
  stopping.abort(reason)
  await t.rejects(run, reason)
  t.strictSame(failures, [])
})

test('a prepare that throws instead of promising is tried again', async t => {
  let attempts = 0
  const { failures, run } = await begin(t, () => {
    if (++attempts === 1) throw new Error('refused')
    return Promise.resolve()
  })
  await turn()
  t.strictSame(failures, ['stage "load" could not prepare a batch of 1: refused'])
  t.strictSame((await run).survivors, [event])
})

test('an answer without an event and without a reason is a mistake of the stage, and loses nothing', async t => {
  const answers: [answer: unknown, detail: RegExp][] = [
    [[], /an empty list and no reason/],
    [[1], /a list that holds more than events/],
    [undefined, /undefined, not with an event/],
    [null, /null, not with an event/],
  ]
  for (const [answer, detail] of answers) {
    const definition = {
      operator: 'mute',
      name: 'mute',
      fingerprint: '',
      problems: [],
      drops: [],
      rejects: [],
      memory: undefined,
      start: async () => ({ process: () => answer as never }),
    }
    const observer = { stage: () => undefined, dropped: () => undefined, prepareFailed: () => undefined }
    const chain = await StageChain.start([definition], { folder: '.', notice: () => undefined }, observer)
    const { survivors, rejected } = await chain.run([event], [undefined], new AbortController().signal)
    t.strictSame(survivors, [])
    t.match(rejected, [{ event, stage: 'mute', reason: 'operator_error', detail }])
  }
})
