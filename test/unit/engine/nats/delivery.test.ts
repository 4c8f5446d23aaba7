import { test } from 'tap'
import { parseDelivery as parseBytes, type Delivery } from '../../../../engine/nats/delivery.js'

const parseDelivery = (reply: string, into: Delivery) => parseBytes(Buffer.from(reply), into)
const fresh = (): Delivery => ({ streamSeq: -1, consumerSeq: -1, brokerMs: -1, pending: -1 })

// The examples of ADR-15 and both forms that servers send.
const short = '$JS.ACK.EVENTS.millrace-shop-3-abc.1.12345.678.1767225600123456789.42'
const long = '$JS.ACK.hub.ACCTHASH.EVENTS.millrace-shop-3-abc.1.12345.678.1767225600123456789.42'
const expected = { streamSeq: 12_345, consumerSeq: 678, brokerMs: 1_767_225_600_123.456, pending: 42 }

for (const [form, reply] of Object.entries({
  'the short form': short,
  'the form with domain and account': `${long}.RANDOM`,
  'the form without a domain': '$JS.ACK._.ACCTHASH.EVENTS.millrace-shop-3-abc.1.12345.678.1767225600123456789.42.R',
})) {
  test(`${form} is understood`, async t => {
    const delivery = fresh()
    t.equal(parseDelivery(reply, delivery), true)
    t.strictSame(delivery, expected)
  })
}

test('what is not a delivery is left alone', async t => {
  for (const reply of ['', '_INBOX.abc', '$JS.API.INFO', '$JS.FC.EVENTS.x.y', '$JS.ACK']) {
    const delivery = fresh()
    t.equal(parseDelivery(reply, delivery), false, reply)
    t.strictSame(delivery, fresh(), reply)
  }
})

test('numbers keep every digit that a double has', async t => {
  const delivery = fresh()
  parseDelivery('$JS.ACK.S.c.1.9007199254740991.9007199254740990.1767225600999999999.9007199254740989', delivery)
  t.strictSame(delivery, {
    streamSeq: 9_007_199_254_740_991,
    consumerSeq: 9_007_199_254_740_990,
    brokerMs: 1_767_225_600_999.999,
    pending: 9_007_199_254_740_989,
  })
  t.equal(Math.floor(delivery.brokerMs), 1_767_225_600_999, 'and a millisecond is never rounded up')
})

test('the first event of an empty stream is understood', async t => {
  const delivery = fresh()
  t.equal(parseDelivery('$JS.ACK.S.c.1.1.1.1767225600000000000.0', delivery), true)
  t.strictSame(delivery, { streamSeq: 1, consumerSeq: 1, brokerMs: 1_767_225_600_000, pending: 0 })
})
