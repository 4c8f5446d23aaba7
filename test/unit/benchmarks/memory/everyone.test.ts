import t from 'tap'
import { everyone, eventsEach } from '../../../../benchmarks/memory/everyone.js'

const users = 2_500
const load = (events: number) => [...everyone.messages({ seed: 7, events, clock: () => 1_700_000_000_000 })]

t.test('everybody has the same number of events, first a session and then a view', async t => {
  const types = new Map<string, string[]>()
  for (const { subject } of load(users * eventsEach)) {
    const [, , type = '', key = ''] = subject.split('.')
    types.set(key, [...(types.get(key) ?? []), type])
  }
  t.equal(types.size, users)
  t.ok(
    [...types.values()].every(([first, second, ...rest]) => {
      return first === 'session_started' && second === 'product_viewed' && rest.length === eventsEach - 2
    }),
  )
  const milestones = [...types.values()].map(list => list.at(-1))
  t.strictSame(new Set(milestones), new Set(['signed_up', 'cart_updated', 'checkout_completed']))
})

t.test('there are exactly as many messages as asked for, each with an id of its own', async t => {
  const messages = load(1_000)
  t.equal(messages.length, 1_000)
  t.equal(new Set(messages.map(({ messageId }) => messageId)).size, 1_000)
})

t.test('the same seed gives the same messages', async t => {
  t.strictSame(load(300), load(300))
})
