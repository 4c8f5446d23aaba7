import t from 'tap'
import { profileResponse } from '../../../../engine/admin/profile.js'
import type { ProfileView } from '../../../../engine/model.js'

const at = Date.UTC(2026, 0, 2, 3, 4, 5)

const view: ProfileView = {
  key: 'ada',
  traits: { views: 3, email: undefined, top: ['a'] },
  changedAt: { views: at - 500 },
  segments: { vip: at - 1000 },
  updatedAt: at,
  lastSeq: 42,
}

const tagOf = (changed: Partial<ProfileView>, nowMs = at) =>
  profileResponse({ view: { ...view, ...changed }, isStale: false }, nowMs).etag

t.test('each value has its time and age', async t => {
  const { body } = profileResponse({ view, isStale: false }, at + 250.4)
  t.strictSame(body, {
    key: 'ada',
    updatedAt: '2026-01-02T03:04:05.000Z',
    ageMs: 250,
    lastSeq: 42,
    stale: false,
    traits: {
      views: { value: 3, changedAt: '2026-01-02T03:04:04.500Z', ageMs: 750 },
      email: { value: undefined },
      top: { value: ['a'] },
    },
    segments: { vip: { enteredAt: '2026-01-02T03:04:04.000Z', ageMs: 1250 } },
  })
})

t.test('an age is never negative, whatever two clocks say', async t => {
  t.equal(profileResponse({ view, isStale: false }, at - 5000).body.ageMs, 0)
})

t.test('the tag changes with value, segment and position, not with the passing of time', async t => {
  const same = tagOf({})
  t.match(same, /^W\/"[\w-]{22}"$/)
  t.equal(tagOf({}, at + 60_000), same)
  t.not(tagOf({ traits: { views: 4 } }), same, 'a value')
  t.not(tagOf({ segments: {} }), same, 'a segment')
  t.not(tagOf({ lastSeq: 43 }), same, 'the position')
  t.not(tagOf({ key: 'bob' }), same, 'the key')
  t.not(profileResponse({ view, isStale: true }, at).etag, same, 'staleness')
})
