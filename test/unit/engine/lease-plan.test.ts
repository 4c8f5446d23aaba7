import fc from 'fast-check'
import { test } from 'tap'
import { planLeases } from '../../../engine/lease-plan.js'

const plan = (me: string, members: string[], owners: string[]) => planLeases({ me, members: new Set(members), owners })

test('a replica alone takes what is free and leaves what is owned', async t => {
  t.strictSame(plan('a', ['a'], ['', 'z', '', 'a']), { claim: [0, 2], release: [] })
})

test('free partitions go to those who have the fewest, each to one', async t => {
  const owners = ['a', 'a', 'b', '', '', '']
  t.strictSame(plan('a', ['a', 'b', 'c'], owners).claim, [])
  t.strictSame(plan('b', ['a', 'b', 'c'], owners).claim, [4])
  t.strictSame(plan('c', ['a', 'b', 'c'], owners).claim, [3, 5])
})

test('nothing moves while nobody has two more than another one', async t => {
  const owners = ['a', 'a', 'a', 'b', 'b']
  for (const me of ['a', 'b']) t.strictSame(plan(me, ['a', 'b'], owners), { claim: [], release: [] })
})

test('who has the most gives to a newcomer, two at a time', async t => {
  const owners = Array.from({ length: 12 }, (_, i) => (i < 6 ? 'a' : 'b'))
  t.strictSame(plan('a', ['a', 'b', 'c'], owners).release, [5])
  t.strictSame(plan('b', ['a', 'b', 'c'], owners).release, [11])
  t.strictSame(plan('c', ['a', 'b', 'c'], owners), { claim: [], release: [] })
})

test('with more replicas than partitions each of the first ones has one', async t => {
  t.strictSame(plan('a', ['a', 'b', 'c', 'd'], ['a', 'a', 'a']).release, [2, 1])
  t.strictSame(plan('c', ['a', 'b', 'c', 'd'], ['a', 'b', '']).claim, [2])
})

test('what a dead replica still holds is left to it', async t => {
  t.strictSame(plan('a', ['a', 'b'], ['dead', 'dead', 'a', 'b']), { claim: [], release: [] })
})

test('from any start, replicas that act by the plan become even, give nothing twice and then keep still', async t => {
  const names = ['a', 'b', 'c', 'd', 'e']
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.constantFrom('', ...names), { minLength: 1, maxLength: 40 }),
      (count, start) => {
        const members = names.slice(0, count)
        // Leases of the dead have run out.
        const owners = start.map(owner => (members.includes(owner) ? owner : ''))
        const held = owners.filter(owner => owner !== '').length
        let moves = 0
        for (let round = 0; round < 100; round++) {
          const plans = members.map(me => ({ me, ...plan(me, members, owners) }))
          const claimed = plans.flatMap(({ claim }) => claim)
          t.equal(new Set(claimed).size, claimed.length)
          t.equal(claimed.length, owners.filter(owner => owner === '').length, 'everything free is taken at once')
          const released = plans.flatMap(({ release }) => release)
          if (round > 0 && claimed.length + released.length === 0) break
          moves += released.length
          for (const { me, claim } of plans) for (const partition of claim) owners[partition] = me
          for (const partition of released) owners[partition] = ''
        }
        const counts = members.map(me => owners.filter(owner => owner === me).length)
        return Math.max(...counts) - Math.min(...counts) <= 1 && moves <= held
      },
    ),
  )
})
