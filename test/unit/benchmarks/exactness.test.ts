import t from 'tap'
import { describeDifferences, differences } from '../../../benchmarks/harness/exactness.js'

t.test('differences are of what both know', async t => {
  t.strictSame(differences({ orders: 3, views: 5, 'triggers.welcome': 2 }, { orders: 3, views: 4, other: 9 }), {
    views: -1,
  })
})

t.test('words say exact, how much it differs, or that nobody looked', async t => {
  t.equal(describeDifferences({}), 'exact')
  t.equal(describeDifferences({ orders: 2, views: -1 }), 'orders +2, views -1')
  t.equal(describeDifferences(undefined), 'not checked')
})
