import fc from 'fast-check'
import { test } from 'tap'
import { freshMeta } from '../../../engine/index.js'
import { metaFields, parseMeta } from '../../../profiles/redis-meta.js'

/** What HGETALL gives after the fields were written over what `acquire.lua` made. */
function stored(fields: readonly string[]): Record<string, string> {
  const hash: Record<string, string> = {
    state_id: 'state',
    token: '1:owner',
    renewals: '7',
    commit_id: 'c1',
    epoch: '1',
  }
  for (let i = 0; i < fields.length; i += 2) hash[fields[i]!] = fields[i + 1]!
  return hash
}

test('without a state there is no meta', async t => {
  t.equal(parseMeta({}), undefined)
  t.equal(parseMeta({ token: '1:owner' }), undefined)
})

test('a field that was never written reads as nothing', async t => {
  t.strictSame(parseMeta({ state_id: 'state', token: '1:owner', renewals: '1' }), {
    ...freshMeta('state'),
    token: '1:owner',
    renewals: 1,
  })
})

test('every change comes back as it was written', async t => {
  const text = fc.string({ unit: 'grapheme' })
  const number = fc.integer({ min: -(2 ** 52), max: 2 ** 52 })
  const update = fc.record(
    {
      position: number,
      lastSeq: number,
      ordinal: number,
      now: number,
      sequenceOffset: number,
      definitionFrom: number,
      definitionChanges: number,
      partitions: number,
      streamCreated: text,
      anchor: text,
      definition: text,
      accepted: text,
      trial: text,
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(update, change => {
      t.strictSame(parseMeta(stored(metaFields(change))), {
        ...freshMeta('state'),
        token: '1:owner',
        renewals: 7,
        commitId: 'c1',
        ...change,
      })
    }),
    { numRuns: 100 },
  )
})

test('a change names only what it changes', async t => {
  t.strictSame(metaFields({}), [])
  t.strictSame(metaFields({ lastSeq: 3, anchor: '' }), ['last_seq', '3', 'anchor', ''])
})
