import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { readSchemas } from '../../../../examples/shop/avro.js'
import { generate, type GeneratorOptions, type ShopMessage } from '../../../../examples/shop/generator.js'

const schemas = await readSchemas(fileURLToPath(new URL('../../../../../examples/shop/schemas/', import.meta.url)))
const now = 1_700_000_000_000

function messages(options: Partial<GeneratorOptions> = {}): ShopMessage[] {
  return [...generate(schemas, { seed: 1, events: 20_000, clock: () => now, ...options })]
}

interface Decoded {
  readonly type: string
  readonly subjectKey: string
  readonly value: { id: string; userId: string; occurredAt: number; total?: number }
}

/** Messages that are whole and of the schema of their type. */
function decoded(all: readonly ShopMessage[]): Decoded[] {
  return all.flatMap(({ subject, payload }) => {
    const [, , type, subjectKey] = subject.split('.') as [string, string, string, string]
    const { type: schema, header } = schemas.get(type)!
    if (!payload.subarray(0, header.length).equals(header)) return []
    try {
      return [{ type, subjectKey, value: schema.fromBuffer(payload.subarray(header.length)) as Decoded['value'] }]
    } catch {
      return []
    }
  })
}

const share = (part: number, of: number) => part / of

test('the same seed, number and clock give the same messages, another seed gives others', t => {
  t.same(messages(), messages())
  t.notSame(messages({ events: 100 }), messages({ events: 100, seed: 2 }))
  t.end()
})

test('a longer run begins as a shorter one of as many people does', t => {
  t.same(messages({ events: 3_000, users: 500 }).slice(0, 1_000), messages({ events: 1_000, users: 500 }))
  t.end()
})

test('messages are made as they are asked for', t => {
  const source = generate(schemas, { seed: 1, events: Number.MAX_SAFE_INTEGER, users: 100, clock: () => now })
  for (let i = 0; i < 10; i++) t.equal(source.next().done, false)
  t.end()
})

test('every message has its own id, a known subject and, mostly, a whole record', t => {
  const all = messages()
  t.equal(all.length, 20_000)
  t.equal(new Set(all.map(message => message.messageId)).size, all.length)
  for (const { subject } of all) {
    if (!/^events\.shop\.\w+\.u\d{6}(-other)?$/.test(subject)) t.fail(subject)
  }
  const types = new Set(decoded(all).map(event => event.type))
  t.same([...types].sort(), [...schemas.keys()].sort())
  t.ok(share(decoded(all).length, all.length) > 0.995)
  t.ok(decoded(all).length < all.length, 'some are damaged')
  t.end()
})

test('about two in a hundred are copies, near and far ones', t => {
  const first = new Map<string, number>()
  const distances = messages().flatMap(({ payload }, index) => {
    const text = payload.toString('base64')
    const original = first.get(text)
    first.set(text, original ?? index)
    return original === undefined ? [] : [index - original]
  })
  t.ok(share(distances.length, 20_000) > 0.015 && share(distances.length, 20_000) < 0.025)
  t.ok(distances.some(distance => distance <= 10))
  t.ok(distances.some(distance => distance >= 2_000))
  t.end()
})

test('shares can be others: every second message a copy, and nothing damaged', t => {
  const texts = messages({ shares: { copies: 0.5, damaged: 0, unknownSchema: 0 } }).map(({ payload }) =>
    payload.toString('base64'),
  )
  const copies = share(texts.length - new Set(texts).size, texts.length)
  t.ok(copies > 0.47 && copies < 0.53)
  t.equal(decoded(messages({ shares: { damaged: 0, unknownSchema: 0 } })).length, 20_000)
  t.end()
})

test('events are late, ahead of the clock, from 2099, impossible and under the subject of another person', t => {
  const events = decoded(messages({ events: 50_000 }))
  const ages = events.map(({ value }) => now - value.occurredAt)
  t.ok(ages.some(age => age > 3_600_000 && age <= 6 * 3_600_000 + 30))
  t.ok(ages.some(age => age < 0 && age >= -1_000))
  t.ok(ages.some(age => age === now - Date.UTC(2099, 0, 1)))
  t.ok(share(ages.filter(age => age >= 0 && age <= 2_030).length, ages.length) > 0.97, 'most are on time')
  t.ok(events.some(({ value }) => (value.total ?? 0) < 0))
  t.ok(events.some(({ subjectKey, value }) => subjectKey !== value.userId))
  t.end()
})

test('people are few who do much and many who do little, and nobody does more than a hundredth', t => {
  const counts = new Map<string, number>()
  for (const { value } of decoded(messages({ users: 1_000 })))
    counts.set(value.userId, (counts.get(value.userId) ?? 0) + 1)
  const sorted = [...counts.values()].sort((a, b) => b - a)
  const busiest = sorted.slice(0, 100).reduce((total, count) => total + count, 0)
  t.ok(share(busiest, 20_000) > 0.2)
  t.ok(share(sorted[0]!, 20_000) < 0.01)
  t.end()
})
