import { test, type Test } from 'tap'
import { MillraceError } from '../../../../engine/errors.js'
import type { Acknowledged } from '../../../../engine/nats/publisher.js'
import type { OutboxEntry } from '../../../../engine/outbox/outbox-entry.js'
import { Outbox, type OutboxOptions } from '../../../../engine/outbox/outbox.js'
import { PipelinedSender } from '../../../../engine/outbox/pipelined-sender.js'
import { eventually } from '../../../support/eventually.js'

interface Sent {
  readonly number: number
  answer(failure?: MillraceError, isDuplicate?: boolean): void
}

const entry = (number: number, size = 1): OutboxEntry => ({
  lane: 'triggers',
  seq: number,
  ordinal: 0,
  subject: 'triggers.a.0',
  fields: ['Nats-Msg-Id', `id-${number}`],
  body: Buffer.alloc(size),
  causedAtMs: 0,
})
const entries = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => entry(from + i))
const refused = new MillraceError('publish_failed', 'refused')

/** An outbox whose broker answers when the test says so. */
function open(t: Test, { maySend = () => true, ...change }: Partial<OutboxOptions> & { maySend?: () => boolean } = {}) {
  const sent: Sent[] = []
  const published: [number, boolean][] = []
  const failures: Error[] = []
  const outbox = new Outbox({
    maxEntries: 1_000,
    maxBytes: 1_000_000,
    open: events => {
      const publisher = {
        publish: (_subject: string, _body: Uint8Array, fields: readonly string[], done: Acknowledged) => {
          const number = Number(fields[1]!.slice(3))
          sent.push({ number, answer: (failure, isDuplicate = false) => done(failure, isDuplicate, number) })
        },
      }
      return new Map([['triggers', new PipelinedSender({ publisher, maySend }, events)]])
    },
    wake: () => {},
    onPublished: ({ seq }, isDuplicate) => published.push([seq, isDuplicate]),
    onFailure: error => failures.push(error),
    onBroken: error => failures.push(error),
    ...change,
  })
  t.teardown(() => void outbox.close())
  return { outbox, sent, published, failures, numbers: () => sent.map(({ number }) => number) }
}

test('entries go out in order, many at once, and leave when all before them are out', async t => {
  const { outbox, sent, published, numbers } = open(t)
  outbox.add(entries(1, 3))
  t.strictSame(numbers(), [1, 2, 3])
  sent[1]!.answer()
  t.equal(outbox.entries, 3, 'the first one is still on its way')
  t.equal(outbox.trimmable, 0)
  sent[0]!.answer(undefined, true)
  t.equal(outbox.entries, 1)
  t.equal(outbox.trimmable, 2)
  sent[2]!.answer()
  t.equal(outbox.isEmpty, true)
  t.strictSame(published, [
    [2, false],
    [1, true],
    [3, false],
  ])
  outbox.trimmed(2)
  t.equal(outbox.trimmable, 1)
})

test('after a failure nothing more goes out until all is answered; then what is not out goes again, in order', async t => {
  const { outbox, sent, failures, numbers } = open(t)
  outbox.add(entries(1, 4))
  sent[0]!.answer()
  sent[1]!.answer(refused)
  outbox.add(entries(5, 6))
  t.equal(sent.length, 4, 'nothing overtakes')
  sent[2]!.answer()
  sent[3]!.answer(refused)
  t.equal(failures.length, 1, 'said once')
  t.equal(outbox.entries, 5)
  await eventually('the rest goes again', () => sent.length === 8)
  t.strictSame(numbers().slice(4), [2, 4, 5, 6])
  t.equal(outbox.trimmable, 1)
})

test('what failed is sent until the broker takes it', async t => {
  const { outbox, sent } = open(t)
  outbox.add([entry(1)])
  for (let attempt = 1; attempt <= 3; attempt++) {
    await eventually(`attempt ${attempt}`, () => sent.length === attempt)
    sent[attempt - 1]!.answer(refused)
  }
  await eventually('attempt 4', () => sent.length === 4)
  sent[3]!.answer()
  t.equal(outbox.isEmpty, true)
})

test('only so many are on their way at once', async t => {
  const { outbox, sent } = open(t)
  outbox.add(entries(1, 600))
  t.equal(sent.length, 512)
  sent[0]!.answer()
  t.equal(sent.length, 513)
})

test('it is full at either bound, and not one below', async t => {
  const { outbox } = open(t, { maxEntries: 3 })
  outbox.add(entries(1, 2))
  t.equal(outbox.isFull, false)
  outbox.add([entry(3)])
  t.equal(outbox.isFull, true)
  const large = open(t, { maxBytes: 10_000 })
  large.outbox.add([entry(1, 5_000)])
  t.equal(large.outbox.isFull, false)
  large.outbox.add([entry(2, 5_000)])
  t.equal(large.outbox.isFull, true)
  large.sent[0]!.answer()
  t.equal(large.outbox.isFull, false, 'what is out makes room')
})

test('what is being stored counts against the bounds, once', async t => {
  const { outbox, sent } = open(t, { maxEntries: 3 })
  outbox.expect(entries(1, 3))
  t.equal(outbox.isFull, true)
  t.equal(outbox.isEmpty, true)
  outbox.add(entries(1, 3))
  t.equal(outbox.isFull, true)
  sent[0]!.answer()
  t.equal(outbox.isFull, false)
  const large = open(t, { maxBytes: 1_000 })
  large.outbox.expect([entry(1, 1_000)])
  t.equal(large.outbox.isFull, true)
})

test('nothing goes out without the lease, and everything when it is back', async t => {
  let maySend = false
  const { outbox, sent } = open(t, { maySend: () => maySend })
  outbox.add(entries(1, 3))
  outbox.send()
  t.equal(sent.length, 0)
  maySend = true
  outbox.send()
  t.equal(sent.length, 3)
})

test('after a restart what the broker has is only trimmed, the rest goes out', async t => {
  const { outbox, numbers, sent, published } = open(t)
  outbox.restore(entries(1, 4), ({ seq }) => seq <= 2)
  t.strictSame(numbers(), [3, 4])
  t.equal(outbox.trimmable, 2)
  t.equal(outbox.entries, 2)
  for (const { answer } of sent) answer()
  t.equal(outbox.trimmable, 4)
  t.strictSame(published, [
    [3, false],
    [4, false],
  ])
})

test('it wakes its owner when there is room', async t => {
  let wakes = 0
  const { outbox, sent } = open(t, { wake: () => wakes++ })
  outbox.add(entries(1, 2))
  t.equal(wakes, 0)
  sent[0]!.answer()
  t.equal(wakes, 1)
})

test('a closed outbox sends nothing and hears nothing', async t => {
  const { outbox, sent, published } = open(t)
  outbox.add([entry(1)])
  void outbox.close()
  sent[0]!.answer()
  outbox.add([entry(2)])
  outbox.send()
  t.equal(sent.length, 1)
  t.strictSame(published, [])
})
