import fc from 'fast-check'
import { test } from 'tap'
import type { Timer } from '../../../../engine/index.js'
import { TimerQueue } from '../../../../engine/partition/timers.js'

/** Timers as a store keeps and pages them, with the questions it was asked. */
class StoredTimers {
  readonly asked: { from: number; upTo: number; limit: number; found: number }[] = []
  constructor(public timers: Timer[]) {}

  readonly load = (from: number, upTo: number, limit: number): Promise<Timer[]> => {
    const due = this.timers.filter(({ dueAt }) => dueAt >= from && dueAt <= upTo)
    const page = due.sort(byTimeAndKey).slice(0, limit)
    this.asked.push({ from, upTo, limit, found: page.length })
    return Promise.resolve(page)
  }

  /** The commit of what was taken. */
  remove(taken: readonly Timer[]): void {
    this.timers = this.timers.filter(({ key, dueAt }) => !taken.some(one => one.key === key && one.dueAt === dueAt))
  }
}

function byTimeAndKey(left: Timer, right: Timer): number {
  return left.dueAt - right.dueAt || Buffer.compare(Buffer.from(left.key), Buffer.from(right.key))
}

const timer = (key: string, dueAt: number): Timer => ({ key, dueAt })

function takeKnown(queue: TimerQueue, upTo: number): Timer[] {
  const taken: Timer[] = []
  while (queue.nextDueAt <= upTo) taken.push(queue.take()!)
  return taken
}

/** As a session does: what is known goes before more is asked for. */
async function takeAll(queue: TimerQueue, stored: StoredTimers, upTo: number): Promise<Timer[]> {
  const taken: Timer[] = []
  do {
    if (queue.isShortOf(upTo)) await queue.cover(upTo)
    const known = takeKnown(queue, upTo)
    stored.remove(known)
    taken.push(...known)
  } while (!queue.covers(upTo))
  return taken
}

test('an empty queue knows nothing, and says so', async t => {
  const queue = new TimerQueue(new StoredTimers([]).load)
  t.match(queue, { nextDueAt: Infinity, next: undefined })
  t.equal(queue.take(), undefined)
  t.equal(queue.isShortOf(100), true)
  await queue.cover(100)
  t.equal(queue.covers(100), true)
  t.equal(queue.isShortOf(100), false)
  t.equal(queue.nextDueAt, Infinity)
})

test('timers are taken by time, those of one moment by key', async t => {
  const given = [timer('b', 20), timer('c', 10), timer('a', 20), timer('d', 20), timer('e', 21)]
  const queue = new TimerQueue(new StoredTimers(given).load)
  await queue.cover(100)
  t.strictSame(takeKnown(queue, 9), [])
  t.strictSame(takeKnown(queue, 10), [timer('c', 10)])
  t.strictSame(takeKnown(queue, 20), [timer('a', 20), timer('b', 20), timer('d', 20)])
  t.equal(queue.nextDueAt, 21)
})

test('what is armed within the horizon is known, beyond it the store has it', async t => {
  const stored = new StoredTimers([])
  const queue = new TimerQueue(stored.load)
  await queue.cover(1_000)
  const last = 40_000
  for (let dueAt = 0; dueAt <= last; dueAt += 100) queue.arm('ada', dueAt)
  const known = takeKnown(queue, 100_000).length
  t.ok(known > 10 && known < 400, `${known} of 401`)
  // The commit has stored all.
  for (let dueAt = known * 100; dueAt <= last; dueAt += 100) stored.timers.push(timer('ada', dueAt))
  t.equal((await takeAll(queue, stored, last)).length, 401 - known, 'and nothing comes twice')
})

test('the earliest that are due are named without being taken', async t => {
  const given = Array.from({ length: 200 }, (_, i) => timer(`k${i}`, (i * 37) % 200))
  const queue = new TimerQueue(new StoredTimers(given).load)
  await queue.cover(1_000)
  const named = (upTo: number, limit: number) => {
    const keys = new Set<string>()
    queue.keysDue(upTo, limit, keys)
    return [...keys]
  }
  const inOrder = [...given].sort(byTimeAndKey).map(({ key }) => key)
  t.strictSame(named(-1, 10), [])
  t.strictSame(named(0, 10), inOrder.slice(0, 1))
  t.strictSame(named(150, 20), inOrder.slice(0, 20))
  t.strictSame(named(30, 100), inOrder.slice(0, 31))
  t.strictSame(named(1_000, 1_000), inOrder)
  t.equal(takeKnown(queue, 1_000).length, 200)
})

test('more timers of one moment than a page holds come page by page, in the order of their bytes', async t => {
  const keys = Array.from(
    { length: 3_000 },
    (_, i) => `${i % 2 === 0 ? '\u{1f600}' : '\uffee'}${String(i).padStart(4, '0')}`,
  )
  const stored = new StoredTimers([timer('first', 49), ...keys.map(key => timer(key, 50)), timer('last', 51)])
  const expected = [...stored.timers].sort(byTimeAndKey)
  const queue = new TimerQueue(stored.load)
  await queue.cover(60)
  t.equal(queue.covers(50), false)
  t.equal(queue.covers(49), true)
  t.strictSame(await takeAll(queue, stored, 60), expected)
  const most = Math.max(...stored.asked.map(({ found }) => found))
  t.ok(most <= 500, `${most} timers in memory`)
  t.ok(stored.asked.length < 10, `asked ${stored.asked.length} times`)
})

test('what is armed for a moment that is covered in part comes in its turn', async t => {
  const stored = new StoredTimers(Array.from({ length: 1_000 }, (_, i) => timer(`k${String(i).padStart(4, '0')}`, 50)))
  const queue = new TimerQueue(stored.load)
  await queue.cover(60)
  for (const key of ['k0100a', 'k0900a']) {
    queue.arm(key, 50)
    stored.timers.push(timer(key, 50))
  }
  const expected = [...stored.timers].sort(byTimeAndKey)
  t.strictSame(await takeAll(queue, stored, 60), expected)
})

test('whatever is stored and armed, everything due is taken once and in order', async t => {
  const anyTimers = fc.array(fc.tuple(fc.integer({ min: 0, max: 60_000 }), fc.string({ maxLength: 2 })), {
    maxLength: 60,
  })
  await fc.assert(
    fc.asyncProperty(
      anyTimers,
      anyTimers,
      fc.array(fc.integer({ min: 0, max: 70_000 })),
      async (before, later, steps) => {
        const keyed = (from: string, list: typeof before) =>
          list.map(([dueAt, key], i) => timer(`${from}${key}${i}`, dueAt))
        const all = keyed('s', before)
        const stored = new StoredTimers([...all])
        const queue = new TimerQueue(stored.load)
        const taken: Timer[] = []
        const armed = keyed('a', later)
        let now = -1
        for (const step of [...steps.sort((a, b) => a - b), 100_000]) {
          taken.push(...(await takeAll(queue, stored, step)))
          now = step
          const next = armed.shift()
          if (next === undefined) continue
          const dueAt = Math.max(next.dueAt, now + 1)
          queue.arm(next.key, dueAt)
          stored.timers.push(timer(next.key, dueAt))
          all.push(timer(next.key, dueAt))
        }
        taken.push(...(await takeAll(queue, stored, 200_000)))
        t.strictSame(taken, all.sort(byTimeAndKey))
        t.strictSame(stored.timers, [])
      },
    ),
    { numRuns: 100 },
  )
})
