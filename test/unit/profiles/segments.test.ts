import t from 'tap'
import { events } from '../../../profiles/index.js'
import { Life } from './life.js'

interface Events {
  view: { n: number }
  pay: { n: number }
}

const { profile, count, sum } = events<Events>()

const visitor = (ttl?: string) =>
  profile('visitor', {
    ...(ttl === undefined ? {} : { ttl }),
    traits: { lately: count('view').within('600ms'), paid: sum('pay', e => e.n) },
  })

t.test('a segment is entered and left by events, and says so once', async t => {
  const life = new Life(visitor().segment('payer', p => p.paid >= 10))
  for (const [now, n] of [
    [1, 9],
    [2, 1],
    [3, 5],
    [4, -6],
    [5, 1],
  ] as const) {
    life.event(now, 'pay', { n })
  }
  t.strictSame(life.take(), [
    [2, 'payer', 'entered'],
    [4, 'payer', 'exited'],
    [5, 'payer', 'entered'],
  ])
  t.strictSame(life.model.view(life.state, 9).segments, { payer: 5 })
})

t.test('a segment is left by time alone at the moment the window lets go', async t => {
  const life = new Life(visitor().segment('browsing', p => p.lately >= 3))
  // Tiles of 10 ms: the event of 1005 counts until 1600.
  for (const now of [1005, 1020, 1030]) life.event(now, 'view', { n: 1 })
  t.strictSame(life.take(), [[1030, 'browsing', 'entered']])
  t.equal(life.state.dueAt, 1600)
  life.reload().until(1599)
  t.strictSame(life.take(), [])
  life.until(1600)
  t.strictSame(life.take(), [[1600, 'browsing', 'exited']])
  t.equal(life.state.dueAt, Infinity, 'nothing more can change by time alone')
})

t.test('a segment can be entered by time alone', async t => {
  const life = new Life(visitor().segment('calm', p => p.paid > 0 && p.lately === 0))
  life.event(1000, 'view', { n: 1 })
  life.event(1001, 'pay', { n: 1 })
  life.until(9000)
  t.strictSame(life.take(), [[1600, 'calm', 'entered']])
})

t.test('no timer is armed where time alone cannot turn the condition', async t => {
  const life = new Life(visitor().segment('browsing', p => p.lately >= 3))
  life.event(1000, 'view', { n: 1 })
  t.equal(life.state.dueAt, Infinity)
})

t.test('a turn further ahead than the condition looks is still found', async t => {
  const life = new Life(visitor().segment('browsing', p => p.lately >= 1))
  for (let now = 1000; now < 1590; now += 10) life.event(now, 'view', { n: 1 })
  life.take()
  life.until(99_999)
  t.strictSame(life.take(), [[2180, 'browsing', 'exited']])
})

t.test('a late event counts in its own time; one older than the window is said to be late', async t => {
  const life = new Life(visitor().segment('browsing', p => p.lately >= 2))
  life.event(1600, 'view', { n: 1 })
  life.event(1609, 'view', { n: 1 }, 1009)
  t.strictSame(life.take(), [['late', 'lately']])
  life.event(1609, 'view', { n: 1 }, 1010)
  t.strictSame(life.take(), [[1609, 'browsing', 'entered']])
  life.until(1610)
  t.strictSame(life.take(), [[1610, 'browsing', 'exited']])
})

t.test('a profile expires at its last event plus ttl, and leaves its segments then', async t => {
  const life = new Life(visitor('1s').segment('payer', p => p.paid >= 10))
  life.event(1000, 'pay', { n: 10 })
  life.event(1500, 'pay', { n: 1 })
  life.take()
  life.until(2499)
  t.strictSame(life.take(), [])
  t.notOk(life.model.isEmpty(life.state))
  life.until(9000)
  t.strictSame(life.take(), [[2500, 'payer', 'exited']])
  t.ok(life.model.isEmpty(life.state))
})

t.test('an event at the moment of expiry finds an empty profile', async t => {
  const life = new Life(visitor('1s').segment('payer', p => p.paid >= 10))
  life.event(1000, 'pay', { n: 7 })
  life.event(1999, 'pay', { n: 7 })
  life.event(2999, 'pay', { n: 7 })
  t.strictSame(life.take(), [
    [1999, 'payer', 'entered'],
    [2999, 'payer', 'exited'],
  ])
  t.equal(life.traits(2999)['paid'], 7)
})

t.test('an expired profile is shown as empty', async t => {
  const life = new Life(visitor('1s'))
  life.event(1000, 'pay', { n: 7 })
  t.equal(life.traits(1999)['paid'], 7)
  t.strictSame(life.model.view(life.state, 2000), {
    key: 'ada',
    traits: { lately: 0, paid: 0 },
    changedAt: {},
    segments: {},
    updatedAt: 0,
    lastSeq: 0,
  })
})

/** The window lets go long after a profile without events has expired. */
const lapsed = () => visitor('100ms').segment('lapsed', p => p.paid > 0 && p.lately === 0)

t.test('nobody is woken to look at a profile later than it expires', async t => {
  const life = new Life(lapsed())
  life.event(1000, 'view')
  life.event(1000, 'pay', { n: 1 })
  t.equal(life.state.dueAt, 1100, 'the window lets go at 1600')
  life.until(9000)
  t.ok(life.model.isEmpty(life.state))
  t.equal(life.state.dueAt, Infinity)
})

for (const isReloaded of [false, true]) {
  const title = isReloaded ? 'loaded for each event' : 'in memory all the while'
  t.test(`what time brings to a profile that lives on comes, ${title}`, async t => {
    const life = new Life(lapsed())
    life.event(1000, 'view')
    life.event(1000, 'pay', { n: 1 })
    for (let now = 1080; now < 1900; now += 80) {
      if (isReloaded) life.reload()
      life.until(now)
      life.event(now, 'pay', { n: 1 })
    }
    t.strictSame(life.take(), [[1600, 'lapsed', 'entered']])
  })
}
