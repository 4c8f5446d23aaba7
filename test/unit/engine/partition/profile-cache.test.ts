import { test } from 'tap'
import type { ProfileState } from '../../../../engine/model.js'
import { ProfileCache } from '../../../../engine/partition/profile-cache.js'

const state = (key: string, storedBytes = 100): ProfileState => ({
  key,
  loadedSeq: 0,
  lastSeq: 0,
  dueAt: Infinity,
  storedBytes,
})

const roomy = 100_000_000

function fill(cache: ProfileCache, count: number, bytes?: number): void {
  for (let i = 0; i < count; i++) cache.set(`k${i}`, state(`k${i}`, bytes))
}

test('what was put in is found, and gone when deleted', async t => {
  const cache = new ProfileCache(100, roomy)
  const ada = state('ada')
  cache.set('ada', ada)
  t.equal(cache.get('ada'), ada)
  t.equal(cache.peek('ada'), ada)
  t.equal(cache.size, 1)
  cache.delete('ada')
  t.equal(cache.get('ada'), undefined)
  t.equal(cache.size, 0)
})

test('trim lets nothing go below half the bound', async t => {
  const cache = new ProfileCache(100, roomy)
  fill(cache, 49)
  cache.trim()
  cache.trim()
  t.equal(cache.size, 49)
})

test('the bound on profiles holds, and what was just used stays', async t => {
  const cache = new ProfileCache(100, roomy)
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 50; i++) cache.set(`r${round}-${i}`, state(`r${round}-${i}`))
    if (cache.get('favourite') === undefined) cache.set('favourite', state('favourite'))
    cache.trim()
    t.ok(cache.size <= 102, `${cache.size} after round ${round}`)
    t.ok(cache.peek('favourite'), 'used in every round')
  }
  t.equal(cache.peek('r0-0'), undefined)
})

test('a look without use keeps nothing alive', async t => {
  const cache = new ProfileCache(10, roomy)
  fill(cache, 5)
  cache.trim()
  cache.peek('k0')
  cache.get('k1')
  for (let i = 0; i < 5; i++) cache.set(`n${i}`, state(`n${i}`))
  cache.trim()
  t.equal(cache.peek('k0'), undefined)
  t.ok(cache.peek('k1'))
})

test('large profiles leave earlier than small ones', async t => {
  const large = new ProfileCache(10_000, 1_000_000)
  fill(large, 500, 10_000)
  large.trim()
  large.get('k499')
  for (let i = 0; i < 500; i++) large.set(`n${i}`, state(`n${i}`, 10_000))
  large.trim()
  t.ok(large.size < 1_000, `${large.size} of 1,000 large ones`)
  const small = new ProfileCache(10_000, roomy)
  fill(small, 1_000, 10)
  small.trim()
  t.equal(small.size, 1_000)
})
