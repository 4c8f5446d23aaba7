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

test('the keys are those that the documentation names', async t => {
  const keys = new RedisKeys('shop')
  t.equal(keys.meta(3), 'mr:{shop:3}:meta')
  t.equal(keys.profile(3, 'ada'), 'mr:{shop:3}:p:ada')
  t.equal(keys.memory(3, 'dedupe', 17), 'mr:{shop:3}:d:dedupe:17')
  t.equal(keys.timers(3), 'mr:{shop:3}:t')
  t.equal(keys.outbox(3), 'mr:{shop:3}:o')
  t.equal(keys.layouts(), 'mr:shop:layouts')
})
