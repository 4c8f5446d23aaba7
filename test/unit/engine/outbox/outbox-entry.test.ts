import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { test } from 'tap'
import { lanes } from '../../../../engine/nats/names.js'
import {
  decodeEntries,
  encodeEntry,
  isAfter,
  noCoordinate,
  parseCoordinate,
} from '../../../../engine/outbox/outbox-entry.js'

test('an entry comes back as it was stored, but for when it was caused', async t => {
  const text = fc.string({ unit: 'grapheme' })
  const anyEntry = fc.record({
    lane: fc.constantFrom(...lanes),
    seq: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    ordinal: fc.nat(),
    subject: fc.string(),
    fields: fc.array(fc.tuple(text, text)).map(pairs => pairs.flat()),
    body: fc.uint8Array({ maxLength: 500 }).map(bytes => Buffer.from(bytes)),
    causedAtMs: fc.nat(),
  })
  fc.assert(
    fc.property(anyEntry, entry => {
      const [decoded] = decodeEntries([encodeEntry(entry)], 'the outbox')
      const { body, ...rest } = decoded!
      t.strictSame({ ...rest, body: Buffer.from(body) }, { ...entry, causedAtMs: 0 })
    }),
    { numRuns: 100 },
  )
})

test('what is no entry is refused, and what is cut off', async t => {
  const entry = { lane: lanes[0]!, seq: 7, ordinal: 0, subject: 's', fields: ['a', 'b'], body: Buffer.from('x') }
  const whole = encodeEntry({ ...entry, causedAtMs: 0 })
  const packr = new Packr({ useRecords: false })
  const row: unknown[] = [0, 7, 0, 's', ['a', 'b'], Buffer.from('x')]
  const wrong = [[lanes.length, 'length', '0', -1, 0.5], [-1, 1.5], [-1], [null], [['a'], ['a', 1], 'ab'], ['x']]
  const damaged = wrong.flatMap((values, at) => [null, ...values].map(value => packr.pack(row.with(at, value))))
  for (const bytes of [whole.subarray(0, -2), Buffer.from('no entry'), packr.pack({ lane: 0 }), ...damaged]) {
    const message = `entry 2 of 3 in the outbox is damaged, ${bytes.length} bytes`
    const expected = { code: 'outbox_unreadable', message }
    t.throws(() => decodeEntries([whole, bytes, whole], 'the outbox'), expected, bytes.toString('hex'))
  }
  t.equal(decodeEntries([packr.pack(row)], 'the outbox')[0]?.subject, 's', 'nothing else is wrong with these')
})

test('coordinates are ordered by event, then by number', async t => {
  const at = (seq: number, ordinal: number) => ({ seq, ordinal })
  t.equal(isAfter(at(2, 0), at(1, 9)), true)
  t.equal(isAfter(at(1, 9), at(2, 0)), false)
  t.equal(isAfter(at(1, 1), at(1, 0)), true)
  t.equal(isAfter(at(1, 1), at(1, 1)), false, 'nothing is after itself')
  t.equal(isAfter(at(0, 0), noCoordinate), true, 'nothing precedes the first')
})

test('a coordinate is read from a header or not at all', async t => {
  t.strictSame(parseCoordinate('12:3'), { seq: 12, ordinal: 3 })
  for (const text of ['', '12', '12:', ':3', '-1:0', '1:2:3', 'a:b', ' 1:2'])
    t.equal(parseCoordinate(text), undefined, text)
})
