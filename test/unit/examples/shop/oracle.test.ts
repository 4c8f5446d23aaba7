import { headers } from 'nats'
import { test } from 'tap'
import {
  compareDeadLetters,
  compareEffects,
  compareProfile,
  Findings,
} from '../../../../examples/shop/oracle-compare.js'
import type { StoredMessage } from '../../../../examples/shop/oracle-read.js'
import {
  type Effect,
  type Fact,
  isInWindow,
  leavesWindowAt,
  Shopper,
} from '../../../../examples/shop/oracle-shopper.js'

const start = 1_700_000_000_000

/** Lives through events given as `[ms after the start, type, value, ms before that it happened]`. */
function live(...events: [after: number, type: string, value?: Fact['value'], late?: number][]): Shopper {
  const nows = events.map(([after]) => start + after)
  const shopper = new Shopper('u1', moment => nows.findLastIndex(now => now < moment) + 1)
  events.forEach(([after, type, value = {}, late = 0], index) => {
    shopper.happen({ seq: index + 1, now: start + after, at: start + after - late, type, value, category: undefined })
  })
  shopper.passTime(Infinity)
  return shopper
}

const short = ({ effects }: Shopper) =>
  effects.map(
    ({ name, detail, at, seq }) => `${name}${detail === undefined ? '' : ` ${detail}`} +${at - start} #${seq}`,
  )
const order = (total: number): [string, Fact['value']] => ['checkout_completed', { cartId: 'c', orderId: 'o', total }]

test('a window is tiles of whole milliseconds, and an event leaves it with its tile', t => {
  // 2,000 / 60 rounded up is 34, and 59 of those cover 2,000.
  t.equal(leavesWindowAt(0, 2_000), 59 * 34)
  t.equal(leavesWindowAt(33, 2_000), 59 * 34)
  t.equal(leavesWindowAt(34, 2_000), 60 * 34)
  t.equal(isInWindow(0, 59 * 34 - 1, 2_000), true)
  t.equal(isInWindow(0, 59 * 34, 2_000), false)
  t.equal(leavesWindowAt(60_000, 3_600_000), 61 * 60_000)
  t.end()
})

test('signing up is welcomed each time', t => {
  t.same(short(live([0, 'signed_up'], [5, 'signed_up'])), ['welcome +0 #1', 'welcome +5 #2'])
  t.end()
})

test('a big spender is announced once, at 500; a thousand makes a vip', t => {
  t.same(short(live([0, ...order(499.99)])), [])
  t.same(short(live([0, ...order(499.99)], [1, ...order(0.01)], [2, ...order(500)])), [
    'big_spender +1 #2',
    'vip entered +2 #3',
  ])
  t.end()
})

test('three recent views are browsing, until the oldest that is needed leaves the window', t => {
  const shopper = live([0, 'product_viewed'], [100, 'product_viewed'], [200, 'product_viewed'])
  const exitAt = leavesWindowAt(start, 2_000) - start
  t.same(short(shopper), ['browsing entered +200 #3', `browsing exited +${exitAt} #3`])
  t.same(shopper.segments(), {})
  t.end()
})

test('a view that is told too late is no recent one', t => {
  t.same(short(live([0, 'product_viewed'], [1, 'product_viewed'], [2, 'product_viewed', {}, 2_100])), [])
  t.end()
})

test('the intent is seen at the fifth recent view, and held back within ten seconds', t => {
  const five = (from: number) => [0, 1, 2, 3, 4].map((n): [number, string] => [from + n, 'product_viewed'])
  const intents = (shopper: Shopper) => short(shopper).filter(line => line.startsWith('browse_intent'))
  t.same(intents(live(...five(0), ...five(3_000), ...five(13_000))), [
    'browse_intent +4 #5',
    'browse_intent cooldown +3004 #10',
    'browse_intent +13004 #15',
  ])
  t.end()
})

test('a cart is abandoned a second after its last change, unless it is bought or too small', t => {
  const cart = (cartId: string, value: number): [string, Fact['value']] => ['cart_updated', { cartId, value }]
  t.same(short(live([0, ...cart('c', 75)])), ['cart_abandoned +1000 #1'])
  t.same(short(live([0, ...cart('c', 74.99)])), [])
  t.same(short(live([0, ...cart('c', 75)], [400, ...cart('c', 80)])), ['cart_abandoned +1400 #2'])
  t.same(short(live([0, ...cart('c', 75)], [999, ...order(1)])), [])
  t.same(short(live([0, ...cart('c', 75)], [1_000, ...order(1)])), ['cart_abandoned +1000 #1'], 'due comes first')
  t.same(short(live([0, ...cart('d', 75)], [999, ...order(1)])), ['cart_abandoned +1000 #2'], 'another cart')
  t.same(
    short(live(...[0, 1, 2, 3].map((n): [number, string, Fact['value']] => [n, ...cart(`c${n}`, 75)]))),
    [0, 1, 2].map(n => `cart_abandoned +${1_000 + n} #4`).concat('cart_abandoned cap +1003 #4'),
  )
  t.end()
})

test('the last cart is the one that happened last, not the one that came last', t => {
  const shopper = live(
    [0, 'cart_updated', { cartId: 'c', value: 10 }],
    [5, 'cart_updated', { cartId: 'c', value: 20 }, 50],
  )
  t.equal(shopper.traits(start + 5).cart, 10)
  t.end()
})

const effect: Effect = {
  lane: 'triggers',
  name: 'welcome',
  key: 'u1',
  at: start,
  seq: 7,
  data: { plan: 'pro', country: 'DE' },
  isDirect: true,
}

function published(
  change: Record<string, unknown> = {},
  { position = '7:0', id = 'shop-1:3:7:0' } = {},
): StoredMessage {
  const { name: trigger, key, at, seq, data } = effect
  const body = { id, trigger, profile: 'shopper', key, at, seq, data, ...change }
  return stored('triggers.welcome.3', Buffer.from(JSON.stringify(body)), {
    'Nats-Msg-Id': id,
    'Millrace-Position': position,
  })
}

function stored(subject: string, payload: Buffer, fields: Record<string, string>): StoredMessage {
  const header = headers()
  for (const [name, value] of Object.entries(fields)) header.set(name, value)
  return { seq: 1, subject, brokerMs: start, brokerFraction: 0, payload, headers: () => header }
}

function judged(messages: StoredMessage[], expected: Effect[] = [effect]) {
  const findings = new Findings()
  const pairs = compareEffects('triggers', expected, messages, 3, findings)
  const { mismatches, missingTriggers, unexpectedTriggers, repeatedTriggers, orderViolations } = findings
  const sum = mismatches + missingTriggers + unexpectedTriggers + repeatedTriggers + orderViolations
  if (findings.isClean !== (sum === 0)) throw new Error('isClean does not say what the counts say')
  return { mismatches, missingTriggers, unexpectedTriggers, repeatedTriggers, orderViolations, pairs: pairs.length }
}

const none = {
  mismatches: 0,
  missingTriggers: 0,
  unexpectedTriggers: 0,
  repeatedTriggers: 0,
  orderViolations: 0,
  pairs: 1,
}

test('a trigger as expected is fine; the order of its members does not matter', t => {
  t.same(judged([published()]), none)
  t.same(judged([published({ data: { country: 'DE', plan: 'pro' } })]), none)
  t.end()
})

test('a trigger that is missing, unexpected, published twice or out of order is seen', t => {
  t.same(judged([]), { ...none, missingTriggers: 1, pairs: 0 })
  t.same(judged([published()], []), { ...none, unexpectedTriggers: 1, pairs: 0 })
  const twice = { ...none, unexpectedTriggers: 1, repeatedTriggers: 1, orderViolations: 1 }
  t.same(judged([published(), published()]), twice)
  const again = published({}, { position: '7:1', id: 'shop-1:3:7:1' })
  t.same(judged([published(), again]), { ...none, unexpectedTriggers: 1 }, 'under another id')
  const earlier = published({ seq: 6 }, { position: '6:0', id: 'shop-1:3:6:0' })
  t.same(judged([published(), earlier], [effect, { ...effect, seq: 6 }]), { ...none, orderViolations: 1, pairs: 2 })
  t.end()
})

test('a trigger that says something else is seen', t => {
  const other = { ...none, missingTriggers: 1, unexpectedTriggers: 1, pairs: 0 }
  for (const change of [{ key: 'u2' }, { at: start + 1 }, { seq: 8 }, { data: { plan: 'free', country: 'DE' } }]) {
    t.same(judged([published(change)]), other, JSON.stringify(change))
  }
  t.same(judged([published({ profile: 'someone' })]), { ...none, mismatches: 1 })
  t.same(judged([{ ...published(), subject: 'triggers.welcome.4' }]), { ...none, mismatches: 1 })
  t.end()
})

test('dead letters must say why and hold the original bytes', t => {
  const letter = { stage: 'decode_avro', reason: 'truncated', seq: 9, payload: Buffer.from('abc') }
  const fields = {
    'Millrace-Stage': 'decode_avro',
    'Millrace-Reason': 'truncated',
    'Millrace-Error': 'too short',
    'Millrace-Stream': 'EVENTS',
    'Millrace-Sequence': '9',
    'Millrace-Position': '9:0',
  }
  const mismatches = (...messages: StoredMessage[]) => {
    const findings = new Findings()
    compareDeadLetters([letter], messages, 3, findings)
    return findings.mismatches
  }
  const subject = 'deadletters.decode_avro.truncated.3'
  const good = stored(subject, Buffer.from('abc'), fields)
  t.equal(mismatches(good), 0)
  t.equal(mismatches(), 1)
  t.equal(mismatches(good, stored(subject, Buffer.from('abc'), { ...fields, 'Millrace-Position': '9:1' })), 1)
  t.equal(mismatches(stored(subject, Buffer.from('abd'), fields)), 1)
  t.equal(mismatches(stored('deadletters.decode_avro.invalid.3', Buffer.from('abc'), fields)), 1)
  t.equal(mismatches(stored(subject, Buffer.from('abc'), { ...fields, 'Millrace-Error': '' })), 1)
  t.end()
})

test('a profile must agree in every trait and segment; what time changes may be as before or after the read', t => {
  const shopper = live([0, ...order(1_200)])
  const soon = start + 1_000
  const later = leavesWindowAt(start, 3_600_000)
  const right = { traits: shopper.traits(soon), segments: { vip: start } }
  const mismatches = (served: Parameters<typeof compareProfile>[1], readAt: [number, number] = [soon, soon]) => {
    const findings = new Findings()
    compareProfile(shopper, served, readAt, findings)
    return findings.mismatches
  }
  t.equal(mismatches(right), 0)
  t.equal(mismatches(undefined), 1)
  t.equal(mismatches({ ...right, traits: { ...right.traits, orders: 2 } }), 1)
  t.equal(mismatches({ ...right, traits: { ...right.traits, surprise: 1 } }), 1)
  t.equal(mismatches({ ...right, segments: {} }), 1)
  t.equal(mismatches({ ...right, segments: { vip: start + 1 } }), 1)
  t.equal(mismatches(right, [later, later]), 1, 'spendRecent is 0 by now')
  t.equal(mismatches(right, [soon, later]), 0)
  t.equal(mismatches({ ...right, traits: { ...right.traits, spendRecent: 0 } }, [soon, later]), 0)
  t.end()
})
