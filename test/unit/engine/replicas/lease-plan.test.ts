import fc from 'fast-check'
import { test } from 'tap'
import { planLeases } from '../../../../engine/replicas/lease-plan.js'
import type { Standing } from '../../../../engine/replicas/sign.js'

/** `members` that are ready, and those that are not by their standing. */
const plan = (me: string, members: string[], owners: string[], standing: Record<string, Standing> = {}) =>
  planLeases({ me, living: new Map(members.map(name => [name, standing[name] ?? 'ready'])), owners })

test('a replica alone takes what is free and leaves what is owned', async t => {
  t.strictSame(plan('a', ['a'], ['', 'z', '', 'a']), { claim: [0, 2], release: [], abandon: [] })
})

test('free partitions go to those who have the fewest, each to one', async t => {
  const owners = ['a', 'a', 'b', '', '', '']
  t.strictSame(plan('a', ['a', 'b', 'c'], owners).claim, [])
  t.strictSame(plan('b', ['a', 'b', 'c'], owners).claim, [4])
  t.strictSame(plan('c', ['a', 'b', 'c'], owners).claim, [3, 5])
})

test('nothing moves while nobody has two more than another one', async t => {
  const owners = ['a', 'a', 'a', 'b', 'b']
  for (const me of ['a', 'b']) t.strictSame(plan(me, ['a', 'b'], owners), { claim: [], release: [], abandon: [] })
})

test('who has the most gives one to a newcomer, and nobody else does', async t => {
  const owners = Array.from({ length: 12 }, (_, i) => (i < 6 ? 'a' : 'b'))
  t.strictSame(plan('a', ['a', 'b', 'c'], owners).release, [5])
  for (const me of ['b', 'c']) t.strictSame(plan(me, ['a', 'b', 'c'], owners), { claim: [], release: [], abandon: [] })
})

test('nothing is given while something is free, or whoever would take it is busy', async t => {
  t.strictSame(plan('a', ['a', 'b'], ['a', 'a', 'a', '']).release, [])
  t.strictSame(plan('a', ['a', 'b'], ['a', 'a', 'a'], { b: 'busy' }).release, [])
  t.strictSame(plan('a', ['a', 'b'], ['a', 'a', 'a'], { a: 'busy' }).release, [2], 'the giver may be busy')
  t.strictSame(plan('a', ['a', 'b', 'c'], ['a', 'a', 'c', 'a'], { c: 'busy' }).release, [3], 'or somebody else')
})

test('who is busy takes what is free all the same: it would stand still for longer', async t => {
  t.strictSame(plan('b', ['a', 'b'], ['a', 'b', '', 'a'], { b: 'busy' }).claim, [2])
})

test('a replica that leaves takes nothing and gives all, one at a time', async t => {
  const leaving = { a: 'leaving' } as const
  t.strictSame(plan('a', ['a', 'b'], ['a', 'b', 'a'], leaving), { claim: [], release: [2], abandon: [] })
  t.strictSame(
    plan('a', ['a', 'b'], ['a', 'b', 'b'], leaving),
    { claim: [], release: [0], abandon: [] },
    'the last one, too',
  )
  t.strictSame(
    plan('a', ['a', 'b'], ['a', 'b', ''], leaving),
    { claim: [], release: [], abandon: [] },
    'when that was taken',
  )
  t.strictSame(plan('b', ['a', 'b'], ['a', 'b', ''], leaving), { claim: [2], release: [], abandon: [] })
  t.strictSame(plan('a', ['a', 'b'], ['a', 'b', 'b'], { a: 'leaving', b: 'busy' }).release, [])
})

test('nobody evens out while somebody leaves', async t => {
  const owners = ['a', 'b', 'b', 'b', 'c']
  t.strictSame(plan('b', ['a', 'b', 'c'], owners).release, [3])
  t.strictSame(plan('b', ['a', 'b', 'c'], owners, { a: 'leaving' }).release, [])
})

test('when nobody stays, whoever leaves gives all at once', async t => {
  const leaving = { a: 'leaving', b: 'leaving' } as const
  t.strictSame(plan('a', ['a', 'b'], ['a', 'b', 'a', ''], leaving), { claim: [], release: [0, 2], abandon: [] })
})

test('a replica without NATS takes nothing and leaves all to those who have it, at once', async t => {
  const owners = ['a', 'b', 'a', '', 'a']
  const cutOff = { a: 'cut_off' } as const
  t.strictSame(plan('a', ['a', 'b'], owners, cutOff), { claim: [], release: [], abandon: [0, 2, 4] })
  t.strictSame(plan('b', ['a', 'b'], owners, cutOff), { claim: [3], release: [], abandon: [] })
  t.strictSame(plan('a', ['a', 'b'], owners, { a: 'cut_off', b: 'busy' }).abandon, [0, 2, 4], 'busy or not')
})

test('when nobody has NATS, everybody keeps what is theirs, and only who leaves gives', async t => {
  const nobody = { a: 'cut_off', b: 'cut_off' } as const
  t.strictSame(plan('a', ['a', 'b'], ['a', 'b', 'a', ''], nobody), { claim: [], release: [], abandon: [] })
  t.strictSame(plan('a', ['a'], ['a', 'z', ''], nobody), { claim: [], release: [], abandon: [] })
  const leaving = { a: 'leaving', b: 'cut_off' } as const
  t.strictSame(plan('a', ['a', 'b'], ['a', 'b', 'a'], leaving), { claim: [], release: [0, 2], abandon: [] })
  t.strictSame(plan('b', ['a', 'b'], ['a', 'b', 'a'], leaving), { claim: [], release: [], abandon: [] })
})

test('with more replicas than partitions each of the first ones has one', async t => {
  t.strictSame(plan('a', ['a', 'b', 'c', 'd'], ['a', 'a', 'a']).release, [2])
  t.strictSame(plan('c', ['a', 'b', 'c', 'd'], ['a', 'b', '']).claim, [2])
  for (const me of ['a', 'b', 'c', 'd'])
    t.strictSame(plan(me, ['a', 'b', 'c', 'd'], ['a', 'b', 'c']), { claim: [], release: [], abandon: [] })
})

test('what a dead replica still holds is left to it', async t => {
  t.strictSame(plan('a', ['a', 'b'], ['dead', 'dead', 'a', 'b']), { claim: [], release: [], abandon: [] })
})

test('from any start, replicas that act by the plan become even, give nothing twice and then keep still', async t => {
  const names = ['a', 'b', 'c', 'd', 'e']
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 5 }),
      fc.array(fc.constantFrom('', ...names), { minLength: 1, maxLength: 40 }),
      fc.boolean(),
      (count, start, isOneLeaving) => {
        const members = names.slice(0, count)
        const staying = isOneLeaving ? members.slice(1) : members
        const standing: Record<string, Standing> = isOneLeaving ? { a: 'leaving' } : {}
        // Leases of the dead have run out.
        const owners = start.map(owner => (members.includes(owner) ? owner : ''))
        const held = owners.filter(owner => owner !== '').length
        let moves = 0
        for (let round = 0; round < 200; round++) {
          const plans = members.map(me => ({ me, ...plan(me, members, owners, standing) }))
          const claimed = plans.flatMap(({ claim }) => claim)
          t.equal(new Set(claimed).size, claimed.length)
          t.equal(claimed.length, owners.filter(owner => owner === '').length, 'everything free is taken at once')
          const released = plans.flatMap(({ release }) => release)
          t.ok(released.length <= 1, 'one move at a time')
          if (claimed.length + released.length === 0) break
          moves += released.length
          for (const { me, claim } of plans) for (const partition of claim) owners[partition] = me
          for (const partition of released) owners[partition] = ''
        }
        const counts = staying.map(me => owners.filter(owner => owner === me).length)
        const isAllStaying = owners.every(owner => staying.includes(owner))
        return isAllStaying && Math.max(...counts) - Math.min(...counts) <= 1 && moves <= held
      },
    ),
  )
})
