import { test, type Test } from 'tap'
import { MillraceError } from '../../../../engine/errors.js'
import { maxFastEntries, type Fence } from '../../../../engine/nats/fence.js'
import type { Acknowledged, GroupOptions, Publication } from '../../../../engine/nats/publisher.js'
import { FencedSender } from '../../../../engine/outbox/fenced-sender.js'
import { noCoordinate, type OutboxEntry } from '../../../../engine/outbox/outbox-entry.js'
import type { Slot } from '../../../../engine/outbox/outbox.js'
import type { Floor } from '../../../../engine/partition/floors.js'
import { eventually } from '../../../support/eventually.js'

interface Sent {
  readonly numbers: readonly number[]
  readonly options: GroupOptions
  readonly answer: Acknowledged
}

const slot = (number: number, size = 1): Slot => {
  const subject = `triggers.a.0`
  const entry: OutboxEntry = {
    ...{ lane: 'triggers', seq: number, ordinal: 0, subject, fields: ['Nats-Msg-Id', `id-${number}`], causedAtMs: 0 },
    body: Buffer.alloc(size),
  }
  return { entry, bytes: size, isAcknowledged: false }
}
const floorAt = (number: number, streamSeq: number, fence: Fence = 'batch'): Floor => ({
  coordinate: number < 0 ? noCoordinate : { seq: number, ordinal: 0 },
  streamSeq,
  isYoung: true,
  fence,
  isReplicated: false,
})
const refused = new MillraceError('publish_failed', 'wrong last sequence')

function open(t: Test, floor: Floor, { reads = [] as (Floor | Error)[], maySend = (): boolean => true } = {}) {
  const sent: Sent[] = []
  const published: [number, boolean][] = []
  const failures: Error[] = []
  const publisher = {
    publishGroup: (group: readonly Publication[], options: GroupOptions, answer: Acknowledged) => {
      sent.push({ numbers: group.map(({ fields }) => Number(fields[1]!.slice(3))), options, answer })
    },
  }
  const broken: Error[] = []
  const readFloor = async () => {
    const next = reads.shift()!
    if (next instanceof Error) throw next
    return next
  }
  const sender = new FencedSender(
    { publisher, maySend, filter: 'triggers.*.0', floor, readFloor },
    {
      acknowledged: ({ entry }, isDuplicate) => published.push([entry.seq, isDuplicate]),
      failed: error => failures.push(error),
      broken: error => broken.push(error),
    },
  )
  t.teardown(() => void sender.close())
  const add = (...numbers: number[]) => {
    for (const number of numbers) sender.add(slot(number))
    sender.send()
  }
  return { sender, sent, published, failures, broken, add }
}

test('one group is on its way at a time, each on top of the one before', async t => {
  const { sent, published, add } = open(t, floorAt(-1, 0))
  const many = Array.from({ length: 64 }, (_, i) => i + 2)
  add(1)
  add(...many)
  t.equal(sent.length, 1, 'the rest waits for the sequence')
  t.match(sent[0], { numbers: [1], options: { filter: 'triggers.*.0', lastSeq: 0 } })
  sent[0]!.answer(undefined, false, 7)
  t.strictSame(sent[1]!.numbers, many)
  t.equal(sent[1]!.options.lastSeq, 7)
  t.strictSame(published, [[1, false]])
  sent[1]!.answer(undefined, false, 80)
  add(66)
  t.match(sent[2], { numbers: [66], options: { lastSeq: 80 } })
})

test('where the stream takes fast batches, all that waits goes out as one', async t => {
  const { sent, published, add } = open(t, floorAt(-1, 0, 'fast_batch'))
  add(1)
  add(2, 3)
  t.match(sent[0], { numbers: [1], options: { lastSeq: 0 } })
  sent[0]!.answer(undefined, false, 1)
  t.match(sent[1], { numbers: [2, 3], options: { lastSeq: 1, isFast: true } })
  sent[1]!.answer(undefined, false, 5)
  t.strictSame(published, [
    [1, false],
    [2, false],
    [3, false],
  ])
})

test('of a fast batch that is stored in part the rest goes out again', async t => {
  const { sent, published, add } = open(t, floorAt(-1, 0, 'fast_batch'), { reads: [floorAt(2, 9, 'fast_batch')] })
  add(1, 2, 3, 4)
  sent[0]!.answer(refused, false, 0)
  await eventually('it goes on', () => sent.length === 2)
  t.match(sent[1], { numbers: [3], options: { lastSeq: 9 } }, 'with one message first')
  t.strictSame(published, [
    [1, true],
    [2, true],
  ])
  sent[1]!.answer(undefined, false, 10)
  t.match(sent[2], { numbers: [4], options: { lastSeq: 10 } })
})

test('a few messages go out one by one where there are only atomic batches, which cost the broker more', async t => {
  const { sent, add } = open(t, floorAt(-1, 0))
  add(...Array.from({ length: 63 }, (_, i) => i + 1))
  for (let number = 1; number <= 63; number++) {
    t.match(sent.at(-1), { numbers: [number], options: { lastSeq: number - 1 } })
    sent.at(-1)!.answer(undefined, false, number)
  }
  t.equal(sent.length, 63)
})

test('where the stream takes no batches, one message is on its way at a time', async t => {
  const { sent, add } = open(t, floorAt(-1, 0, 'each'))
  add(1, 2)
  t.strictSame(sent[0]!.numbers, [1])
  sent[0]!.answer(undefined, false, 1)
  t.match(sent[1], { numbers: [2], options: { lastSeq: 1 } })
})

test('a group has bounds in entries and bytes, and takes one entry at least', async t => {
  const many = open(t, floorAt(-1, 0))
  many.add(...Array.from({ length: 300 }, (_, i) => i + 1))
  t.equal(many.sent[0]!.numbers.length, 256)
  const fast = open(t, floorAt(-1, 0, 'fast_batch'))
  fast.add(...Array.from({ length: 300 }, (_, i) => i + 1))
  t.equal(fast.sent[0]!.numbers.length, maxFastEntries)
  const large = open(t, floorAt(-1, 0))
  for (let number = 1; number <= 64; number++) large.sender.add(slot(number, 200 * 1024))
  large.sender.send()
  t.strictSame(large.sent[0]!.numbers, [1, 2])
})

test('who is refused reads how far the lane has come and leaves out what is there', async t => {
  const { sent, published, failures, add } = open(t, floorAt(1, 5), { reads: [floorAt(3, 20)] })
  add(2, 3, 4, 5)
  sent[0]!.answer(refused, false, 0)
  t.strictSame(failures, [refused])
  await eventually('it goes on', () => sent.length === 2)
  t.match(sent[1], { numbers: [4], options: { lastSeq: 20 } }, 'with one message first')
  t.strictSame(published, [
    [2, true],
    [3, true],
  ])
  sent[1]!.answer(undefined, false, 21)
  t.match(sent[2], { numbers: [5], options: { lastSeq: 21 } })
})

test('what is known to be out stays out when the last message has left the stream by its age', async t => {
  const { sent, add } = open(t, floorAt(3, 20), { reads: [floorAt(-1, 0)] })
  add(4)
  sent[0]!.answer(refused, false, 0)
  await eventually('it goes on', () => sent.length === 2)
  t.match(sent[1], { numbers: [4], options: { lastSeq: 0 } })
})

test('a repetition that the broker recognized is followed by a look at where the lane ends', async t => {
  const { sent, published, add } = open(t, floorAt(1, 5), { reads: [floorAt(2, 9)] })
  add(2)
  add(3)
  sent[0]!.answer(undefined, true, 6)
  await eventually('it goes on', () => sent.length === 2)
  t.match(sent[1], { numbers: [3], options: { lastSeq: 9 } })
  t.strictSame(published, [[2, true]])
})

test('what waiting does not mend is told once, and nothing is sent after it', async t => {
  const shared = new MillraceError('output_shared', 'another pipeline')
  for (const [read, code] of [
    [shared, 'output_shared'],
    [floorAt(1, 5, 'none'), 'publish_failed'],
  ] as const) {
    const { sender, sent, broken, failures, add } = open(t, floorAt(1, 5), { reads: [read] })
    add(2)
    sent[0]!.answer(refused, false, 0)
    await eventually('it is told', () => broken.length === 1)
    t.match(broken, [{ code }])
    sender.send()
    t.equal(sent.length, 1)
    t.equal(failures.length, 1, 'the refusal alone')
  }
})

test('on a stream of several servers what may have been sent before goes out one by one', async t => {
  const replicated = (number: number, streamSeq: number) => ({
    ...floorAt(number, streamSeq, 'fast_batch'),
    isReplicated: true,
  })
  const { sender, sent, add } = open(t, replicated(1, 5), { reads: [replicated(5, 9)] })
  // Left by the owner before.
  for (const number of [2, 3]) sender.add(slot(number))
  sender.send()
  add(4, 5, 6, 7)
  sent[0]!.answer(undefined, false, 6)
  sent[1]!.answer(undefined, false, 7)
  t.strictSame(
    sent.map(({ numbers }) => numbers),
    [[2], [3], [4, 5, 6, 7]],
  )
  sent[2]!.answer(refused, false, 0)
  add(8, 9)
  await eventually('it goes on', () => sent.length === 4)
  sent[3]!.answer(undefined, false, 10)
  sent[4]!.answer(undefined, false, 11)
  t.strictSame(
    sent.slice(3).map(({ numbers }) => numbers),
    [[6], [7], [8, 9]],
  )
})

test('while the broker cannot be asked where the lane ends, or the stream is missing, it is asked again', async t => {
  const unavailable = new MillraceError('nats_unavailable', 'no answer')
  const missing = new MillraceError('stream_missing', 'no stream')
  const { sent, broken, failures, add } = open(t, floorAt(1, 5), { reads: [unavailable, missing, floorAt(1, 5)] })
  add(2)
  sent[0]!.answer(refused, false, 0)
  await eventually('it goes on', () => sent.length === 2)
  t.strictSame([failures, broken], [[refused, unavailable, missing], []])
})

test('nothing goes out without the lease, and nothing after the close', async t => {
  let isMine = false
  const { sender, sent, published, add } = open(t, floorAt(-1, 0), { maySend: () => isMine })
  add(1)
  t.equal(sent.length, 0)
  isMine = true
  sender.send()
  t.equal(sent.length, 1)
  void sender.close()
  sent[0]!.answer(undefined, false, 1)
  add(2)
  t.equal(sent.length, 1)
  t.strictSame(published, [])
})

test('a close waits for the answer to what was sent', async t => {
  const { sender, sent, add } = open(t, floorAt(-1, 0))
  await sender.close()
  const other = open(t, floorAt(-1, 0))
  other.add(1)
  let isClosed = false
  const closing = other.sender.close().then(() => {
    isClosed = true
  })
  await Promise.resolve()
  t.equal(isClosed, false)
  other.sent[0]!.answer(refused, false, 0)
  await closing
  add(1)
  t.equal(sent.length, 0)
})
