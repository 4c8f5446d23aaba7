import t from 'tap'
import { events } from '../../../profiles/index.js'
import { Life, eventOf } from './life.js'

interface Events {
  view: { id: string }
  pay: { total: number }
}

const { profile, count, sum, last } = events<Events>()

const before = () =>
  profile('shop', {
    traits: {
      views: count('view'),
      paid: sum('pay', e => e.total),
      lately: count('view').within('10m'),
      gone: count('pay'),
    },
  })
    .segment('payer', p => p.paid > 0)
    .segment('viewer', p => p.views > 0)
    .trigger('big', { on: 'pay', when: p => p.paid >= 10 })

const after = () =>
  profile('shop', {
    traits: {
      added: last('view', e => e.id),
      paid: sum('pay', e => e.total),
      views: count('view'),
      lately: count('view').within('1h'),
    },
  })
    .segment('payer', p => p.paid > 0)
    .trigger('big', { on: 'pay', when: p => p.paid >= 10 })

function stored() {
  const life = new Life(before())
  life.event(1000, 'view', { id: 'x' })
  life.event(2000, 'pay', { total: 12 })
  return {
    bytes: Buffer.from(life.model.encode(life.state)),
    model: life.model,
    view: life.model.view(life.state, 2000),
  }
}

t.test('a stored profile comes back as it was', async t => {
  const { bytes, model, view } = stored()
  const state = model.decode('ada', bytes)
  t.equal(state.loadedSeq, 2)
  t.equal(state.storedBytes, bytes.length)
  t.strictSame(model.view(state, 2000), view)
  t.strictSame(model.encode(state), bytes)
  t.equal(model.layoutOf(bytes), model.layout.id)
})

t.test('a profile of an older definition keeps what is still defined and starts the rest anew', async t => {
  const { bytes, model: older } = stored()
  const life = new Life(after())
  const { model } = life
  t.notOk(model.knowsLayout(older.layout.id))
  t.throws(() => model.decode('ada', bytes), { code: 'profile_unreadable' })
  model.learnLayout(older.layout)
  model.learnLayout(older.layout)
  t.ok(model.knowsLayout(model.layoutOf(bytes)))
  life.state = model.decode('ada', bytes)
  t.strictSame(model.view(life.state, 2000), {
    key: 'ada',
    traits: { added: undefined, paid: 12, views: 1, lately: 0 },
    changedAt: { paid: 2000, views: 1000 },
    segments: { payer: 2000 },
    updatedAt: 2000,
    lastSeq: 2,
  })
  // The trigger remembers that its condition held.
  model.fold(life.state, eventOf(3, 'pay', { total: 1 }, 3000), 3000, life)
  t.strictSame(life.take(), [])
  t.equal(model.layoutOf(model.encode(life.state)), model.layout.id)
})

t.test('a layout that does not hash to its id is refused', async t => {
  const { model } = stored()
  t.throws(() => new Life(after()).model.learnLayout({ id: model.layout.id + 1, json: model.layout.json }), {
    code: 'profile_unreadable',
  })
})

t.test('bytes that are no profile are unreadable', async t => {
  const { model, bytes } = stored()
  for (const bad of [Buffer.alloc(0), Buffer.from('hello'), bytes.subarray(0, bytes.length - 1), Buffer.from([0xc1])]) {
    t.throws(() => model.decode('ada', bad), { code: 'profile_unreadable' })
  }
})

t.test('an event that the stored form has seen is not folded again', async t => {
  const { bytes, model } = stored()
  const life = new Life(before())
  life.state = model.decode('ada', bytes)
  model.fold(life.state, eventOf(2, 'pay', { total: 12 }, 2000), 2000, life)
  t.strictSame(model.encode(life.state), bytes)
})

t.test('events that share a position are all folded', async t => {
  const life = new Life(before())
  for (const total of [1, 2, 3]) life.model.fold(life.state, eventOf(7, 'pay', { total }, 2000), 2000, life)
  t.equal(life.traits(2000)['paid'], 6)
})

t.test('an event that would grow its profile past the cap is rejected, one that does not grow it passes', async t => {
  const notes = profile('notes', {
    maxBytes: 200,
    traits: { note: last('view', e => e.id), paid: sum('pay', e => e.total) },
  })
  notes.segment('noted', p => p.note !== undefined)
  const life = new Life(notes)
  const kept = Buffer.from(life.model.encode(life.state))
  t.match(life.event(1, 'view', { id: 'x'.repeat(300) }), { reason: 'profile_too_large', detail: /cap is 200$/ })
  t.strictSame(life.model.encode(life.state), kept)
  t.strictSame(life.take(), [])
  t.equal(life.event(2, 'view', { id: 'x'.repeat(100) }), undefined)
  t.strictSame(life.take(), [[2, 'noted', 'entered']])

  // The same profile under a lower cap: events that leave its size alone still count.
  const tighter = profile('notes', {
    maxBytes: 50,
    traits: { note: last('view', e => e.id), paid: sum('pay', e => e.total) },
  })
  const later = new Life(tighter.segment('noted', p => p.note !== undefined))
  later.state = later.model.decode('ada', Buffer.from(life.model.encode(life.state)))
  const { fold } = later.model
  t.equal(fold.call(later.model, later.state, eventOf(3, 'view', { id: 'y'.repeat(100) }, 3), 3, later), undefined)
  t.match(fold.call(later.model, later.state, eventOf(4, 'view', { id: 'y'.repeat(101) }, 4), 4, later), {
    reason: 'profile_too_large',
  })
})

t.test('a rejected event does not make the profile forget to ask a condition again', async t => {
  // Asked about the long note the condition looks at nothing else; what it reads without one is not known yet.
  const definition = profile('notes', {
    maxBytes: 200,
    traits: { note: last('view', e => e.id), paid: sum('pay', e => e.total) },
  })
  definition.segment('keen', p => (p.note ?? '').length > 100 || p.paid >= 2)
  const first = new Life(definition)
  first.event(1, 'pay', { total: 1 })
  const life = new Life(definition)
  life.state = life.model.decode('ada', first.model.encode(first.state))
  t.match(life.model.fold(life.state, eventOf(2, 'view', { id: 'x'.repeat(300) }, 2), 2, life), {
    reason: 'profile_too_large',
  })
  life.model.fold(life.state, eventOf(3, 'pay', { total: 1 }, 3), 3, life)
  t.strictSame(life.take(), [[3, 'keen', 'entered']])
})
