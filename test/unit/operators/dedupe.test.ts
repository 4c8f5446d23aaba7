import t from 'tap'
import type { Event } from '../../../engine/index.js'
import { dedupe } from '../../../operators/index.js'
import { type Given, decoded, memoryOf, received, receivedAt, start, told } from './stage.js'

type Options = Parameters<typeof dedupe>[0]

/** Runs events, each a millisecond after the one before, and says which pass. */
async function passing(events: readonly Event[], options: Options = {}): Promise<boolean[]> {
  const definition = dedupe(options)
  const stage = await start(definition)
  const memory = memoryOf(definition.memory!.windowMs)
  return events.map((event, index) => {
    const outcome = told(stage.process(event, { now: receivedAt + index, memory }))
    if (outcome === 'drop:duplicate') return false
    t.equal(outcome, event, 'what passes is untouched')
    return true
  })
}

t.test('an id passes once, whatever the payload', async t => {
  const events = ['e1', 'e2', 'e1', 'e3', 'e2'].map((id, n) => decoded({ n }, { id }))
  t.same(await passing(events), [true, true, false, true, false])
})

t.test('an id belongs to its source', async t => {
  const events = (['shop', 'crm', 'shop'] as const).map(source => decoded({}, { id: '17', source }))
  t.same(await passing(events), [true, true, false])
})

t.test('an event is remembered for the window, in broker time', async t => {
  const definition = dedupe({ window: '10m' })
  t.same(definition.memory, { windowMs: 600_000 })
  t.same(dedupe().memory, { windowMs: 3_600_000 }, 'an hour unless said otherwise')
  const stage = await start(definition)
  const memory = memoryOf(600_000)
  const at = (now: number) => told(stage.process(decoded({}, { id: 'e1' }), { now, memory }))
  t.not(at(0), 'drop:duplicate')
  t.equal(at(599_999), 'drop:duplicate')
  t.not(at(600_000), 'drop:duplicate')
})

t.test('the memory is given the two halves of xxHash64', async t => {
  const seen: [number, number, number][] = []
  const memory = {
    checkAndAdd: (low: number, high: number, now: number) => Boolean(seen.push([low, high, now])) && false,
  }
  const stage = await start(dedupe())
  stage.process(decoded({}, { source: '', id: 'a' }), { now: 5, memory })
  // Of "\na", from the reference implementation.
  t.same(seen, [[176597857, 524229351, 5]])
})

t.test('without an id the type and the payload decide, in any order of members', async t => {
  const events = [
    decoded({ a: 1, b: 2 }),
    decoded({ b: 2, a: 1 }),
    decoded({ a: 1, b: 3 }),
    decoded({ a: 1, b: 2 }, { type: 'refund' }),
    decoded({ a: 1, b: 2 }, { source: 'crm' }),
  ]
  t.same(await passing(events), [true, false, true, true, true])
})

t.test('by payload the id is not looked at', async t => {
  const events = ['e1', 'e2'].map(id => decoded({ a: 1 }, { id }))
  t.same(await passing(events), [true, true])
  t.same(await passing(events, { by: 'payload' }), [true, false])
})

t.test('members that differ between copies can be ignored', async t => {
  const events = [1, 2].map(sentAt => decoded({ a: 1, meta: { sentAt } }))
  t.same(await passing(events), [true, true])
  t.same(await passing(events, { ignore: ['meta.sentAt'] }), [true, false])
})

t.test('before any decode stage the bytes decide', async t => {
  const given: Given = { type: 'order' }
  const events = ['one', 'two', 'one'].map(payload => received(payload, given))
  t.same(await passing(events), [true, true, false])
  t.same(await passing([received('one'), received('one', { type: 'refund' })]), [true, true])
})

t.test('an id that looks like a payload is not one', async t => {
  t.same(await passing([decoded({}, { id: 'order\n{}' }), decoded({})]), [true, true])
})

t.test('an ignored path that leads nowhere is a problem', t => {
  t.same(dedupe({ ignore: ['a..b'] }).problems, ['ignore must be names joined by single dots, got "a..b"'])
  t.end()
})
