import t from 'tap'
import {
  IdentityMap,
  confluent,
  confluentIdentity,
  fingerprintIdentity,
  singleObject,
} from '../../../../operators/avro/framing.js'

t.test('single-object encoding begins with c3 01 and has a header of 10 bytes', t => {
  t.equal(singleObject.headerBytes(Buffer.from([0xc3, 0x01])), 10)
  for (const bytes of [[], [0xc3], [0xc3, 0x02], [0x01, 0xc3], [0x7b, 0x22]]) {
    t.equal(singleObject.headerBytes(Buffer.from(bytes)), -1)
  }
  t.end()
})

t.test('the fingerprint of int stands in the header as in the specification, least byte first', t => {
  // 8247732601305521295, the specification's fingerprint of "int".
  const identity = fingerprintIdentity(0x7275d51a3f395c8fn)
  t.equal(identity.toString('hex'), '8f5c393f1ad57572')
  t.equal(singleObject.show(identity), 'fingerprint 7275d51a3f395c8f')
  t.end()
})

t.test('Confluent framing is magic 0 with an id of 4 bytes or magic 1 with a guid of 16', t => {
  t.equal(confluent.headerBytes(Buffer.from([0])), 5)
  t.equal(confluent.headerBytes(Buffer.from([1])), 17)
  for (const bytes of [[], [2], [0xc3, 0x01]]) t.equal(confluent.headerBytes(Buffer.from(bytes)), -1)
  t.end()
})

t.test('ids and guids of ids.json become the bytes of the header', t => {
  // The bytes of this guid are those of a vector in Confluent's own clients.
  const guid = '89791762-2336-4186-9674-299b90a802e2'
  t.equal(confluentIdentity(guid)?.toString('hex'), '8979176223364186967429' + '9b90a802e2')
  t.same(confluentIdentity(guid.toUpperCase()), confluentIdentity(guid))
  t.equal(confluent.show(confluentIdentity(guid)!), `guid ${guid}`)
  t.equal(confluentIdentity('1')?.toString('hex'), '00000001')
  t.equal(confluentIdentity('4294967295')?.toString('hex'), 'ffffffff')
  t.equal(confluent.show(confluentIdentity('4294967295')!), 'id 4294967295')
  for (const text of ['', '-1', '4294967296', '1.5', 'one', guid.slice(1)])
    t.equal(confluentIdentity(text), undefined, text)
  t.end()
})

t.test('an identity is found in the middle of a payload, and only when all of it agrees', t => {
  const map = new IdentityMap<string>()
  const guid = confluentIdentity('00000007-2336-4186-9674-299b90a802e2')!
  map.set(confluentIdentity('7')!, 'id')
  map.set(guid, 'guid')
  const payload = Buffer.concat([Buffer.from([1]), guid, Buffer.from([9])])
  t.equal(map.get(payload, 1, 17), 'guid')
  t.equal(map.get(payload, 1, 5), 'id', 'the same first bytes, another length')
  t.equal(map.get(payload, 2, 6), undefined)
  payload[16]! ^= 1
  t.equal(map.get(payload, 1, 17), undefined, 'the last byte differs')
  map.set(confluentIdentity('7')!, 'newer')
  t.equal(map.get(payload, 1, 5), 'newer', 'the last one set')
  t.end()
})
