import fc from 'fast-check'
import { test } from 'tap'
import { Caution, parseTrial, trialText } from '../../../../engine/partition/trial.js'

const batchEvents = 500

/** What is stored of a partition with one event a position; `setAside` holds positions. */
class Partition {
  position = 0
  trial = ''
  deaths = 0
  readonly setAside: number[] = []

  constructor(
    readonly events: number,
    /** Positions of events whose processing kills. */
    readonly deadly: readonly number[],
  ) {}

  /**
   * One owner, as a session goes about it: until it dies of an event, is killed after so many records, or is done.
   * `killed` says where: with the record standing, or just after its commit.
   */
  live(killedAfter = Infinity, where: 'on trial' | 'between' = 'between'): 'died' | 'done' {
    const caution = new Caution(this.deaths > 0)
    caution.attach(this, batchEvents)
    for (let records = 0; this.position < this.events;) {
      const { position } = this
      const events = Math.min(batchEvents, caution.size, this.events - position)
      if (caution.isDeadly(position)) {
        this.setAside.push(position + 1)
      } else {
        if (!caution.isOver) this.trial = caution.begin(position, events)
        records++
        const isKilled = records > killedAfter && where === 'on trial'
        if (isKilled || this.deadly.some(deadly => deadly > position && deadly <= position + events)) return this.#die()
      }
      this.position += events
      if (!caution.isOver) this.trial = ''
      caution.pass(events)
      if (records >= killedAfter && where === 'between') return this.#die()
    }
    return 'done'
  }

  #die(): 'died' {
    this.deaths++
    return 'died'
  }
}

test('a record is read as it was written, anything else is none', async t => {
  const number = fc.nat({ max: Number.MAX_SAFE_INTEGER })
  fc.assert(
    fc.property(fc.record({ position: number, events: number, tries: number }), trial => {
      t.strictSame(parseTrial(trialText(trial)), { ...trial })
    }),
    { numRuns: 50 },
  )
  t.equal(trialText({ position: 7, events: 62, tries: 1 }), '7:62:1')
  for (const text of ['', '7', '7:1', '7:1:1:1', '-7:1:1', '7:1:x']) t.equal(parseTrial(text), undefined, text)
})

test('without a death and without a record there is no doubt', async t => {
  const caution = new Caution(false)
  caution.attach({ position: 7, trial: '' }, batchEvents)
  t.ok(caution.isOver)
  t.equal(caution.size, Infinity)
  t.equal(caution.backOffMs, 0)
})

test('after a death everything that can have been in flight is in doubt, and nothing beyond', async t => {
  const caution = new Caution(true)
  caution.attach({ position: 7, trial: '' }, batchEvents)
  t.equal(caution.begin(7, 500), '7:500:1')
  caution.pass(500)
  caution.pass(499)
  t.notOk(caution.isOver)
  caution.pass(1)
  t.ok(caution.isOver)
})

test('a record that stands puts in doubt whoever attaches, also when the partition was given up since', async t => {
  const caution = new Caution(false)
  caution.attach({ position: 7, trial: '7:500:1' }, batchEvents)
  t.notOk(caution.isOver)
  t.equal(caution.size, 62)
})

test('what killed is tried again by the eighth, down to one', async t => {
  for (const [events, size] of [
    [500, 62],
    [62, 7],
    [15, 1],
    [7, 1],
    [2, 1],
    [1, 1],
    [0, 1],
  ] as const) {
    const caution = new Caution(true)
    caution.attach({ position: 7, trial: `7:${events}:1` }, batchEvents)
    t.equal(caution.size, size, `${events} events`)
  }
})

test('an event that has killed twice alone is deadly, once is not enough', async t => {
  const once = new Caution(true)
  once.attach({ position: 7, trial: '7:1:1' }, batchEvents)
  t.notOk(once.isDeadly(7))
  t.equal(once.begin(7, 1), '7:1:2')
  const twice = new Caution(true)
  twice.attach({ position: 7, trial: '7:1:2' }, batchEvents)
  t.ok(twice.isDeadly(7))
  t.notOk(twice.isDeadly(8), 'the next one is not')
  twice.pass(1)
  t.notOk(twice.isDeadly(7))
  const several = new Caution(true)
  several.attach({ position: 7, trial: '7:2:9' }, batchEvents)
  t.notOk(several.isDeadly(7), 'two events are never blamed together')
})

test('timers that kill alone are tried ever less often, and no event is blamed for them', async t => {
  let trial = ''
  const pauses: number[] = []
  for (let life = 0; life < 12; life++) {
    const caution = new Caution(true)
    caution.attach({ position: 7, trial }, batchEvents)
    pauses.push(caution.backOffMs)
    t.notOk(caution.isDeadly(7))
    trial = caution.begin(7, 0)
  }
  t.strictSame(pauses.slice(0, 4), [0, 1_000, 2_000, 4_000])
  t.equal(pauses.at(-1), 300_000)
})

test('timers that fire well say nothing about the event behind them', async t => {
  const caution = new Caution(true)
  caution.attach({ position: 7, trial: '7:1:2' }, batchEvents)
  caution.begin(7, 0)
  caution.pass(0)
  t.ok(caution.isDeadly(7))
})

test('a record of its own, or of a position that a loss has moved on from, is no death', async t => {
  const caution = new Caution(true)
  caution.attach({ position: 7, trial: '' }, batchEvents)
  const own = caution.begin(7, 500)
  t.equal(caution.foreign(own), '')
  t.equal(caution.foreign('7:62:1'), '7:62:1')
  caution.attach({ position: 9, trial: '7:500:1' }, batchEvents)
  t.equal(caution.size, Infinity)
})

test('the deadly events are found wherever they lie, and no other, at six deaths each at most', async t => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 1_500 }), { maxLength: 3 }), deadly => {
      const partition = new Partition(1_500, deadly)
      for (let lives = 0; partition.live() === 'died'; lives++) t.ok(lives < 30)
      t.strictSame(
        partition.setAside,
        [...deadly].sort((a, b) => a - b),
      )
      t.ok(partition.deaths <= 6 * deadly.length, `${partition.deaths} deaths`)
    }),
    { numRuns: 200 },
  )
})

test('a replica that is killed fifteen times blames nobody, at idle or under load', async t => {
  const where = fc.constantFrom('on trial' as const, 'between' as const)
  const idle = new Partition(0, [])
  for (let kill = 0; kill < 15; kill++) idle.live()
  t.strictSame(idle, new Partition(0, []))
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), where), { minLength: 15, maxLength: 15 }), kills => {
      const partition = new Partition(20_000, [])
      for (const [after, place] of kills) {
        partition.live(after, place)
        t.strictSame(partition.setAside, [])
      }
      while (partition.live() === 'died');
      t.strictSame(partition.setAside, [])
      t.equal(partition.position, 20_000)
    }),
    { numRuns: 100 },
  )
})
