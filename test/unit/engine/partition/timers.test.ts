import fc from 'fast-check'
import { test } from 'tap'
import type { Timer } from '../../../../engine/index.js'
import { TimerQueue } from '../../../../engine/partition/timers.js'

/** Timers as a store keeps and pages them, with the questions it was asked. */
class StoredTimers {
  readonly asked: { after: number; upTo: number; limit: number; found: number }[] = []
  constructor(readonly timers: Timer[]) {}

  readonly load = (after: number, upTo: number, limit: number): Promise<Timer[]> => {
    const due = this.timers.filter(({ dueAt }) => dueAt > after && dueAt <= upTo)
    due.sort((a, b) => a.dueAt - b.dueAt || (a.key < b.key ? -1 : 1))
    const page = due.slice(0, limit)
    this.asked.push({ after, upTo, limit, found: page.length })
    return Promise.resolve(page)
  }
}

const timer = (key: string, dueAt: number): Timer => ({ key, dueAt })

async function coverAll(queue: TimerQueue, upTo: number): Promise<void> {
  while (queue.coveredUntil < upTo) await queue.cover(upTo)
}

function takeAll(queue: TimerQueue, upTo: number): Timer[] {
  const taken: Timer[] = []
  for (let next = queue.take(upTo); next !== undefined; next = queue.take(upTo)) taken.push(next)
  return taken
}

test('an empty queue knows nothing, and says so', async t => {
  const queue = new TimerQueue(new StoredTimers([]).load)
  t.equal(queue.nextDueAt, Infinity)
  t.equal(queue.take(Infinity), undefined)
  await queue.cover(100)
  t.ok(queue.coveredUntil >= 100)
  t.equal(queue.nextDueAt, Infinity)
})

test('timers are taken by time, those of one moment by key, none before it is due', async t => {
  const queue = new TimerQueue(
    new StoredTimers([timer('b', 20), timer('c', 10), timer('a', 20), timer('d', 20), timer('e', 21)]).load,
  )
  await coverAll(queue, 100)
  t.equal(queue.nextDueAt, 10)
  t.equal(queue.take(9), undefined)
  t.strictSame(takeAll(queue, 10), [timer('c', 10)])
  t.strictSame(takeAll(queue, 20), [timer('a', 20), timer('b', 20), timer('d', 20)])
  t.equal(queue.nextDueAt, 21)
})

test('what is armed within the covered time is known, beyond it the store has it', async t => {
  const stored = new StoredTimers([])
  const queue = new TimerQueue(stored.load)
  await queue.cover(1_000)
  const horizon = queue.coveredUntil
  queue.arm('inside', horizon)
  queue.arm('outside', horizon + 1)
  t.strictSame(takeAll(queue, Infinity), [timer('inside', horizon)])
  // The commit has stored both.
  stored.timers.push(timer('inside', horizon), timer('outside', horizon + 1))
  await coverAll(queue, horizon + 1)
  t.strictSame(takeAll(queue, Infinity), [timer('outside', horizon + 1)], 'and nothing comes twice')
})

test('what is due is named without being taken', async t => {
  const queue = new TimerQueue(new StoredTimers([timer('a', 10), timer('b', 20), timer('c', 30)]).load)
  await coverAll(queue, 100)
  const keys = new Set<string>()
  queue.keysDue(20, keys)
  t.strictSame([...keys].sort(), ['a', 'b'])
  t.equal(takeAll(queue, 20).length, 2)
})

test('a page that ends among timers of one moment covers only what lies before them', async t => {
  const timers = Array.from({ length: 700 }, (_, i) => timer(`k${String(i).padStart(4, '0')}`, i < 400 ? i : 400))
  const queue = new TimerQueue(new StoredTimers(timers).load)
  await queue.cover(400)
  t.equal(queue.coveredUntil, 399)
  t.equal(takeAll(queue, queue.coveredUntil).length, 400)
  await coverAll(queue, 400)
  t.strictSame(
    takeAll(queue, 400).map(({ key }) => key),
    timers.slice(400).map(({ key }) => key),
  )
})

test('more timers of one moment than a page holds are still all covered', async t => {
  const timers = Array.from({ length: 5_000 }, (_, i) => timer(`k${String(i).padStart(4, '0')}`, 50))
  const stored = new StoredTimers(timers)
  const queue = new TimerQueue(stored.load)
  await coverAll(queue, 60)
  t.strictSame(takeAll(queue, 60), timers)
  t.ok(stored.asked.length < 10, `asked ${stored.asked.length} times`)
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
        const stored = new StoredTimers(keyed('s', before))
        const queue = new TimerQueue(stored.load)
        const taken: Timer[] = []
        const armed = keyed('a', later)
        let now = -1
        for (const step of [...steps.sort((a, b) => a - b), 100_000]) {
          await coverAll(queue, step)
          taken.push(...takeAll(queue, step))
          now = step
          const next = armed.shift()
          if (next === undefined) continue
          const dueAt = Math.max(next.dueAt, now + 1)
          queue.arm(next.key, dueAt)
          stored.timers.push(timer(next.key, dueAt))
        }
        await coverAll(queue, 200_000)
        taken.push(...takeAll(queue, 200_000))
        const expected = [...stored.timers].sort((a, b) => a.dueAt - b.dueAt || (a.key < b.key ? -1 : 1))
        t.strictSame(taken, expected)
      },
    ),
    { numRuns: 100 },
  )
})
