import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { events } from '../../../profiles/index.js'
import { Life, type Line } from './life.js'

interface Events {
  add: { n: number; of: string }
  look: { n: number; of: string }
  pay: { n: number; of: string }
  /** Nothing listens to it. */
  noise: object
}

const { profile, count, sum, max, mean, last, since, recent, top, distinct } = events<Events>()

/** Everything that a definition can say, short enough that all of it happens within a few hundred milliseconds. */
function everything(maxBytes: number) {
  const all = profile('all', {
    ttl: '150ms',
    maxBytes,
    traits: {
      looks: count('look').within('60ms'),
      paid: sum('pay', e => e.n),
      paidLately: sum(['pay', 'add'], e => e.n / 3).within('90ms'),
      largest: max('pay', e => e.n),
      average: mean(['add', 'look'], e => e.n).within('30ms'),
      cart: last('add', e => e.of).where(e => e.n > 1),
      idle: since('look', { per: '7ms' }),
      seen: recent(3, ['look', 'add'], e => e.of),
      favourites: top(2, 'look', e => e.of).within('70ms'),
      kinds: distinct(['look', 'add', 'pay'], e => e.of),
    },
  })
  all.segment('busy', p => p.looks >= 2)
  all.segment('odd', p => p.looks === 1 || p.paidLately === 1)
  all.segment('rich', p => p.paid > 10 && p.idle !== 3)
  all.segment('broken', p => p.average!.toFixed(0) === '2')
  all.trigger('gone', {
    on: 'add',
    after: '20ms',
    unless: ['pay'],
    by: e => e.of,
    when: p => p.looks < 3,
    cap: '2/100ms',
    emit: (p, e) => ({ cart: p.cart, of: e.of, idle: p.idle }),
  })
  all.trigger('silent', { on: ['look', 'pay'], after: '40ms', unless: 'add' })
  all.trigger('quiet', { when: p => (p.idle ?? 0) >= 2, cooldown: '30ms', emit: p => ({ ...p }) })
  all.trigger('failing', { when: p => p.favourites[0]!.value === 'a' })
  all.trigger('keen', { on: 'look', when: p => p.looks >= 2, emit: p => ({ favourites: p.favourites }) })
  all.trigger('always', { on: 'pay', when: (p, e) => e.n > (p.largest ?? 0) - 2, every: true, cap: '3/50ms' })
  return all
}

const step = fc.record({
  type: fc.constantFrom('add', 'look', 'pay', 'noise'),
  n: fc.integer({ min: 0, max: 4 }),
  of: fc.constantFrom('a', 'b', 'c', 'dddddddddd'),
  waitMs: fc.oneof(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 400 })),
  delayMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 100 })),
  reload: fc.boolean(),
  /** Share of the wait after which the engine's timer rings, if it does. */
  ring: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
})

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

interface Outcome {
  readonly lines: readonly Line[]
  readonly bytes: string
  readonly rejected: number
}

/** In one go, or left and taken up again at the points the steps say. */
function live(definition: ReturnType<typeof everything>, steps: readonly Step[], isInterrupted: boolean): Outcome {
  let life = new Life(definition)
  const folded: { step: Step; now: number }[] = []
  let now = 1_000_000
  let rejected = 0
  for (const step of steps) {
    if (isInterrupted && step.reload) life.reload()
    if (isInterrupted && step.ring !== null) life.until(now + Math.floor(step.waitMs * step.ring))
    now += step.waitMs
    const { length } = life.lines
    try {
      if (fold(life, step, now)) folded.push({ step, now })
      else {
        rejected++
        assert.equal(life.lines.length, length, 'a rejected event has no effects')
      }
    } catch {
      // As the engine does: what is in memory is dropped, and everything is folded again without the event that threw.
      life = new Life(definition)
      for (const { step, now } of folded) fold(life, step, now)
    }
  }
  life.until(now + 1000)
  return { lines: life.lines, bytes: life.model.encode(life.state).toString('hex'), rejected }
}

function fold(life: Life, { type, n, of, delayMs }: Step, now: number): boolean {
  return life.event(now, type, { n, of }, now - delayMs) === undefined
}

for (const maxBytes of [64 * 1024, 350]) {
  t.test(`reloads and timers at any point change nothing, with a cap of ${maxBytes} bytes`, async t => {
    const definition = everything(maxBytes)
    const law = fc.property(fc.array(step, { maxLength: 80, size: 'max' }), steps => {
      assert.deepEqual(live(definition, steps, true), live(definition, steps, false))
    })
    fc.assert(law, { numRuns: 120 })
    t.pass()
  })
}

t.test('the definition above makes everything happen that it defines', async t => {
  const definition = everything(64 * 1024)
  const seen = new Set<string>()
  let rejected = 0
  for (const steps of fc.sample(fc.array(step, { minLength: 60, maxLength: 80, size: 'max' }), {
    numRuns: 60,
    seed: 1,
  })) {
    for (const [at, ...words] of live(definition, steps, false).lines) {
      seen.add([...(typeof at === 'string' ? [at] : []), ...words.filter(word => typeof word === 'string')].join(' '))
    }
    rejected += live(everything(350), steps, true).rejected
  }
  t.ok(rejected > 0, 'events rejected for the size of the profile')
  for (const expected of [
    'busy entered',
    'busy exited',
    'odd entered',
    'rich entered',
    'rich exited',
    'failed broken',
    'gone',
    'gone suppressed cap',
    'silent',
    'quiet',
    'quiet suppressed cooldown',
    'failing',
    'failing suppressed error',
    'keen',
    'always',
    'always suppressed cap',
    'late looks',
  ]) {
    t.ok(seen.has(expected), expected)
  }
})
