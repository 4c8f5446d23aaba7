/** Expected values: the Redis Cluster specification, which gives the checksum of "123456789" and says what a hash tag is. */
import t from 'tap'
import { RedisKeys } from '../../../profiles/redis-keys.js'
import { slotOf } from '../../../profiles/redis-slot.js'

t.test('the slot is the CRC-16/XMODEM of the key, modulo 16,384', async t => {
  t.equal(slotOf('123456789'), 0x31c3)
  t.equal(slotOf(''), 0)
})

t.test('only what stands between the first { and the next } counts, unless that is nothing', async t => {
  t.equal(slotOf('{user1000}.following'), slotOf('user1000'))
  t.equal(slotOf('{user1000}.followers'), slotOf('user1000'))
  t.equal(slotOf('foo{{bar}}zap'), slotOf('{bar'))
  t.equal(slotOf('foo{bar}{zap}'), slotOf('bar'))
  t.not(slotOf('foo{}{bar}'), slotOf('bar'), 'an empty tag is none')
  t.not(slotOf('foo{}{bar}'), slotOf('foo'))
  t.not(slotOf('foo}bar{'), slotOf('foo'))
})

t.test('all keys of a partition share a slot, whatever the profile is called', async t => {
  const keys = new RedisKeys('shop')
  const slot = slotOf(keys.meta(7))
  for (const key of ['ada', '{', '}', '{}', '}{x}', 'ü{y}']) t.equal(slotOf(keys.profile(7, key)), slot, key)
  for (const key of [keys.timers(7), keys.outbox(7), keys.memory(7, 'dedupe', 5)]) t.equal(slotOf(key), slot, key)
})
