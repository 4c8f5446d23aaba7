import { test } from 'tap'
import { RedisKeys } from '../../../profiles/redis-keys.js'

/** What Redis Cluster hashes: the text between the first `{` and the next `}`. */
const tagOf = (key: string) => /\{([^}]*)\}/.exec(key)![1]

test('all keys of a partition share a slot on Redis Cluster, whatever the profile is called', async t => {
  const keys = new RedisKeys('shop')
  const names = [
    keys.meta(3),
    keys.outbox(3),
    keys.timers(3),
    keys.profile(3, 'ada'),
    keys.profile(3, '}other{'),
    keys.memory(3, 'dedupe', 17),
  ]
  for (const name of names) t.equal(tagOf(name), 'shop:3', name)
  t.not(tagOf(keys.meta(4)), tagOf(keys.meta(3)))
})

test('no two things share a key', async t => {
  const [keys, other] = [new RedisKeys('shop'), new RedisKeys('shop2')]
  const names = [
    ...[keys.meta(1), keys.outbox(1), keys.timers(1), keys.layouts()],
    ...[
      keys.profile(1, 'meta'),
      keys.profile(1, 'o'),
      keys.profile(1, ''),
      keys.profile(11, 'a'),
      keys.profile(1, '1:a'),
    ],
    ...[keys.memory(1, 'dedupe', 1), keys.memory(1, 'dedupe', 11), keys.memory(1, 'dedupe_1', 1)],
    ...[other.meta(1), other.layouts(), keys.meta(21)],
  ]
  t.equal(new Set(names).size, names.length)
})

test('generations have keys of their own, in the same slots', async t => {
  const [first, second] = [new RedisKeys('shop'), new RedisKeys('shop', 2)]
  const of = (keys: RedisKeys) => [
    ...[keys.meta(3), keys.outbox(3), keys.timers(3), keys.profile(3, 'ada'), keys.memory(3, 'dedupe', 17)],
    ...[keys.layouts(), keys.members()],
  ]
  t.strictSame(of(new RedisKeys('shop', 1)), of(first))
  t.equal(new Set([...of(first), ...of(second)]).size, 14)
  t.equal(second.profile(3, 'ada'), 'mr:{shop:3}~2:p:ada')
  t.equal(tagOf(second.meta(3)), tagOf(first.meta(3)))
})

test('a key is told to be of this generation and a partition, unless it is a meta', async t => {
  const [first, second] = [new RedisKeys('shop'), new RedisKeys('shop', 2)]
  for (const keys of [first, second]) {
    for (const key of [keys.profile(11, '}~2:p:x'), keys.outbox(11), keys.timers(11), keys.memory(11, 'dedupe', 1)]) {
      t.equal(keys.partitionHolding(key), 11, key)
      const other = keys === first ? second : first
      t.equal(other.partitionHolding(key), undefined, key)
      t.equal(new RedisKeys('shops').partitionHolding(key), undefined, key)
    }
    for (const key of [keys.meta(11), keys.layouts(), keys.members()])
      t.equal(keys.partitionHolding(key), undefined, key)
  }
})

test('the keys are those that the documentation names', async t => {
  const keys = new RedisKeys('shop')
  t.equal(keys.meta(3), 'mr:{shop:3}:meta')
  t.equal(keys.profile(3, 'ada'), 'mr:{shop:3}:p:ada')
  t.equal(keys.memory(3, 'dedupe', 17), 'mr:{shop:3}:d:dedupe:17')
  t.equal(keys.timers(3), 'mr:{shop:3}:t')
  t.equal(keys.outbox(3), 'mr:{shop:3}:o')
  t.equal(keys.layouts(), 'mr:shop:layouts')
})
