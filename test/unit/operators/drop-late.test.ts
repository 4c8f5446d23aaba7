import t from 'tap'
import { dropLate } from '../../../operators/index.js'
import { context, decoded, receivedAt, start, told } from './stage.js'

const aged = (ageMs: number) => decoded({}, { occurredAt: receivedAt - ageMs })

t.test('an event passes up to maxAge and is dropped beyond it', async t => {
  const stage = await start(dropLate({ maxAge: '10m' }))
  for (const ageMs of [600_000, 0, -5_000]) {
    const event = aged(ageMs)
    t.equal(stage.process(event, context), event, `${ageMs} ms old`)
  }
  t.equal(told(stage.process(aged(600_001), context)), 'drop:late')
})

t.test('maxAge is an hour unless said otherwise', async t => {
  const stage = await start(dropLate())
  t.not(told(stage.process(aged(3_600_000), context)), 'drop:late')
  t.equal(told(stage.process(aged(3_600_001), context)), 'drop:late')
})

t.test('age is taken at the broker, so a replay years later decides the same', async t => {
  const stage = await start(dropLate())
  const event = aged(0)
  t.equal(stage.process(event, { ...context, now: receivedAt + 1e12 }), event)
})
