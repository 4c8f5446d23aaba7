import { test } from 'tap'
import type { Commit } from '../../../engine/index.js'
import { commitArguments } from '../../../profiles/redis-commit.js'
import { RedisKeys } from '../../../profiles/redis-keys.js'

const keys = new RedisKeys('shop')
const garbageMs = 1_000
const nothing: Commit = {
  token: '1:owner',
  commitId: 'c2',
  previousPosition: 4,
  previousCommitId: 'c1',
  meta: {},
  profiles: [],
  profileTtlMs: undefined,
  timers: [],
  memory: [],
  outbox: [],
  trim: 0,
}
const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(text => Buffer.from(text)) as [Buffer, Buffer, Buffer, Buffer]

test('a commit of nothing names three keys and counts nothing', async t => {
  t.strictSame(commitArguments(keys, 3, nothing, garbageMs), [
    3,
    ...[keys.meta(3), keys.outbox(3), keys.timers(3)],
    ...['1:owner', 'c2', 4, 'c1', 0],
    ...[0, 0, 0, 0, 0, 0, 0, 0, 0],
  ])
})

test('every part lies where the script looks for it', async t => {
  const commit: Commit = {
    ...nothing,
    meta: { position: 5, anchor: 'x' },
    profiles: [
      { key: 'ada', bytes: a },
      { key: 'gone', bytes: undefined },
      { key: 'bob', bytes: b },
    ],
    profileTtlMs: 500,
    timers: [
      { key: 'ada', dueAt: 70 },
      { key: 'bob', dueAt: Infinity },
    ],
    memory: [
      { stage: 'dedupe', bucket: 8, bytes: c },
      { stage: 'dedupe', bucket: 1, bytes: undefined },
    ],
    outbox: [d],
    trim: 6,
  }
  t.strictSame(commitArguments(keys, 3, commit, garbageMs), [
    8,
    ...[keys.meta(3), keys.outbox(3), keys.timers(3)],
    ...[keys.profile(3, 'ada'), keys.profile(3, 'bob'), keys.profile(3, 'gone')],
    ...[keys.memory(3, 'dedupe', 8), keys.memory(3, 'dedupe', 1)],
    ...['1:owner', 'c2', 4, 'c1', 6],
    ...[2, 1, 2, 1, 1_500, 1, 1, 1, 1],
    ...['position', '5', 'anchor', 'x'],
    ...[d, a, b],
    ...[70, 'ada', 'bob'],
    c,
  ])
})
