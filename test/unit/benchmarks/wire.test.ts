import fc from 'fast-check'
import t from 'tap'
import { AckReader, encodePublish, greeting } from '../../../benchmarks/harness/wire.js'

const ack = (seq: number, more = '') => {
  const body = `{"stream":"EVENTS", "seq":${seq}${more}}`
  return `MSG acks 1 ${body.length}\r\n${body}\r\n`
}
const told: string[] = []
const read = (...chunks: (string | Buffer)[]) => {
  told.length = 0
  const reader = new AckReader(what => told.push(what))
  for (const chunk of chunks) reader.feed(Buffer.from(chunk))
  return reader
}

t.test('a publish says its sizes in bytes: of the header, and of header and payload', async t => {
  const payload = Buffer.from([0xc3, 0x01, 13, 10])
  const bytes = encodePublish({ subject: 'events.shop.viewed.u1', payload, messageId: 'm-1' }, 'acks')
  // NATS client protocol: HPUB <subject> [reply-to] <#header bytes> <#total bytes>\r\n[headers]\r\n\r\n[payload]\r\n
  const header = 'NATS/1.0\r\nNats-Msg-Id: m-1\r\n\r\n'
  const line = `HPUB events.shop.viewed.u1 acks ${header.length} ${header.length + 4}\r\n`
  t.strictSame(bytes, Buffer.concat([Buffer.from(line + header), payload, Buffer.from('\r\n')]))
})

t.test('the greeting asks for headers and for the acknowledgements', async t => {
  const [connect = '', ...lines] = greeting('acks').split('\r\n')
  t.match(JSON.parse(connect.slice('CONNECT '.length)), { verbose: false, headers: true, no_responders: true })
  t.strictSame(lines, ['SUB acks 1', 'PING', ''])
})

t.test('acknowledgements are counted wherever the socket cuts them', async t => {
  const bytes = Buffer.from(`INFO {"x":1}\r\nPONG\r\n${ack(7)}PING\r\n${ack(8)}${ack(9)}`)
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), cuts => {
      const ends = [...cuts.sort((a, b) => a - b), bytes.length]
      const reader = read(...ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end)))
      t.strictSame([reader.acknowledged, reader.lastSeq, reader.failure], [3, 9, undefined])
      t.strictSame(told, ['PONG', 'PING'])
    }),
  )
})

t.test('what was refused, stored before or stored out of order fails the run', async t => {
  t.match(read(ack(1, ',"error":{"code":503}')).failure, /503/)
  t.match(read(ack(1), ack(2, ',"duplicate": true')).failure, /duplicate/)
  t.equal(read(ack(5), ack(7)).failure, 'stored at 7 after 5')
  t.equal(read('HMSG acks 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n').failure, 'NATS/1.0 503')
  t.equal(read("-ERR 'Unknown Protocol Operation'\r\n").failure, "-ERR 'Unknown Protocol Operation'")
})

t.test('the first failure is the one that is told', async t => {
  t.equal(read(ack(5), ack(7), ack(9)).failure, 'stored at 7 after 5')
})
