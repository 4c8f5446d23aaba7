import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { test } from 'tap'
import { lanes } from '../../../../engine/nats/names.js'
import {
  decodeEntry,
  encodeEntry,
  isAfter,
  noCoordinate,
  parseCoordinate,
} from '../../../../engine/outbox/outbox-entry.js'

test('an entry comes back as it was stored, but for when it was caused', async t => {
  const anyEntry = fc.record({
    lane: fc.constantFrom(...lanes),
    seq: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    ordinal: fc.nat(),
    subject: fc.string(),
    fields: fc.array(fc.string({ unit: 'grapheme' })),
    body: fc.uint8Array({ maxLength: 500 }).map(bytes => Buffer.from(bytes)),
    causedAtMs: fc.nat(),
  })
  fc.assert(
    fc.property(anyEntry, entry => {
      const { body, ...rest } = decodeEntry(encodeEntry(entry))
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
  const damaged = row.map((_, at) => packr.pack(row.with(at, at === 0 ? lanes.length : null)))
  for (const bytes of [whole.subarray(0, -2), Buffer.from('no entry'), packr.pack({ lane: 0 }), ...damaged]) {
    t.throws(() => decodeEntry(bytes), { code: 'outbox_unreadable' }, bytes.toString('hex'))
  }
  t.equal(decodeEntry(packr.pack(row)).subject, 's', 'nothing else is wrong with these')
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
