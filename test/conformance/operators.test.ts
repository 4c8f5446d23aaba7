/** What every operator of the list promises. A new operator needs a fixture here, and nothing else. */
import fc from 'fast-check'
import t from 'tap'
import { Drop, Event, Reject, type Outcome, type Stage, type StageDefinition } from '../../engine/index.js'
import * as exported from '../../operators/index.js'
import { type ListedOperator, operators } from '../../operators/index.js'
import { jsonFiles, memoryOf, plain, received, receivedAt, setupIn } from '../unit/operators/stage.js'

interface Fixture {
  /** Options under which the operator does something. */
  readonly options: Record<string, unknown>
  /** Files that the options name. */
  readonly files?: Record<string, string>
  /** Payloads that lead to each kind of outcome; the stage gets them as bytes and, unless it decodes, as value. */
  readonly payloads: readonly unknown[]
}

const order = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'key', type: 'string' },
    { name: 'total', type: 'int' },
  ],
}

const fixtures: Record<string, Fixture> = {
  decode_avro: {
    options: { schemas: '.', framing: 'raw', maxBytes: 64 },
    files: jsonFiles({ 'order.avsc': order }),
    payloads: ['\u0006ada\u0002', '\u0006ada', '\u0000\u0002', '\u0006ada\u0002rest', 'x'.repeat(65)],
  },
  decode_json: {
    options: { maxBytes: 64 },
    payloads: ['{"key":"ada","id":"e1"}', '{"key":"ada","occurredAt":"never"}', '{}', '[]', '{', 'x'.repeat(65)],
  },
  validate: {
    options: {
      schema: { type: 'object', properties: { total: { type: 'number' } } },
      rules: { total_not_negative: (event: Event<{ total?: number }>) => (event.value.total ?? 0) >= 0 },
    },
    payloads: [{ total: 1 }, { total: -1 }, { total: 'much' }, null],
  },
  drop_late: { options: { maxAge: '1m' }, payloads: ['in time', 'two minutes late'] },
  dedupe: {
    options: { ignore: ['sentAt'] },
    payloads: [{ n: 1, sentAt: 1 }, { n: 1, sentAt: 2 }, { n: 2 }, undefined],
  },
  enrich_table: {
    options: { file: 'table.csv', key: 'sku', by: 'sku', missing: 'reject' },
    files: { 'table.csv': 'sku,category\nA1,mugs\n' },
    payloads: [{ sku: 'A1', nested: { n: 1 } }, { sku: 'B9' }, 'no object'],
  },
  filter: {
    options: { keep: (event: Event<{ n?: number } | null>) => event.value?.n === 1 },
    payloads: [{ n: 1 }, { n: 2 }],
  },
  map: { options: { to: (event: Event) => ({ was: event.value ?? null }) }, payloads: [{ n: 1 }, 'text'] },
  split: {
    options: {
      into: (event: Event<{ parts?: number[] } | null>) => (event.value?.parts ?? []).map(value => ({ value })),
      maxParts: 2,
    },
    payloads: [{ parts: [1] }, { parts: [1, 2] }, { parts: [1, 2, 3] }, {}],
  },
}

/** What an operator's name may begin with: it says what the stage does. */
const verbs = ['decode', 'validate', 'drop', 'dedupe', 'enrich', 'filter', 'map', 'split']

function define(operator: ListedOperator, options: object): StageDefinition {
  // The list does not know the types of its operators' options.
  return operator(options as never)
}

function eventsOf(operator: ListedOperator): Event[] {
  const { payloads } = fixtures[operator.declaration.name]!
  return payloads.flatMap((payload, index) => {
    const decodes = operator.declaration.name.startsWith('decode')
    const bytes = typeof payload === 'string' ? payload : JSON.stringify(payload ?? null)
    return [undefined, 'e1'].map(id => {
      const event = received(bytes, { id, key: 'ada', occurredAt: receivedAt - index * 120_000 })
      return decodes ? event : event.with({ value: deepFreeze(payload) })
    })
  })
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze)
    Object.freeze(value)
  }
  return value
}

/** Runs events through a stage with a memory of its own, a millisecond apart. */
function run(stage: Stage, definition: StageDefinition, events: readonly Event[]): Outcome[] {
  const memory = definition.memory === undefined ? undefined : memoryOf(definition.memory.windowMs)
  return events.map((event, index) => stage.process(event, { now: receivedAt + index, memory }))
}

/** Everything of an outcome that a later stage, a counter or a dead letter sees. */
function seen(outcome: Outcome): unknown {
  if (outcome instanceof Event)
    return { ...(plain({ ...outcome, origin: null }) as object), value: plain(outcome.value) }
  if (outcome instanceof Drop) return { drop: outcome.reason }
  if (outcome instanceof Reject) return { reject: outcome.reason, detail: outcome.detail }
  return outcome.map(seen)
}

t.test('the list holds every operator that is exported, by its name in camelCase', t => {
  const listed = operators.map(({ declaration }) => declaration.name)
  t.equal(new Set(listed).size, listed.length)
  const names = listed.map(name => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()))
  t.same(Object.keys(exported).sort(), [...names, 'operators'].sort())
  t.same(Object.keys(fixtures).sort(), [...listed].sort(), 'each has a fixture')
  t.end()
})

for (const operator of operators) {
  const { name, summary, options, drops = [], rejects = [], cost } = operator.declaration
  const fixture = fixtures[name]!

  t.test(name, t => {
    const startStage = async (t: { testdir(files: Record<string, string>): string }) => {
      const definition = define(operator, fixture.options)
      const stage = await definition.start(setupIn(t.testdir(fixture.files ?? {})))
      return { definition, stage }
    }

    t.test('is named by a verb in lower_snake', t => {
      t.match(name, /^[a-z]+(_[a-z]+)*$/)
      t.ok(verbs.includes(name.split('_')[0]!), `${name} begins with one of ${verbs.join(', ')}`)
      t.end()
    })

    t.test('documents itself, every option and every reason', t => {
      t.match(summary, /^[A-Z].*\.$/)
      t.match(cost, /^[A-Z0-9].*\.$/)
      for (const [option, { doc, kind }] of Object.entries(options)) {
        t.match(option, /^[a-z][A-Za-z0-9]*$/)
        t.match(doc, /^\S.*\.$/s, option)
        t.not(kind, '')
      }
      for (const reason of [...drops, ...rejects]) t.match(reason, /^[a-z]+(_[a-z]+)*$/)
      t.end()
    })

    t.test('accepts its own fallbacks', t => {
      for (const [option, { fallback }] of Object.entries(options)) {
        if (fallback === undefined) continue
        t.same(define(operator, { ...fixture.options, [option]: fallback }).problems, [], option)
      }
      t.end()
    })

    t.test('refuses an option it does not have, and says which it has', t => {
      t.same(define(operator, { ...fixture.options, nonsense: 1 }).problems, [
        `nonsense is not an option; known are ${Object.keys(options).sort().join(', ')}`,
      ])
      t.end()
    })

    t.test('never edits its input', async t => {
      const { definition, stage } = await startStage(t)
      t.teardown(() => stage.close?.())
      const events = eventsOf(operator)
      const before = events.map(event => [seen(event), Buffer.from(event.bytes).toString('hex')])
      run(stage, definition, events)
      t.same(
        events.map(event => [seen(event), event.bytes.toString('hex')]),
        before,
      )
    })

    t.test('answers at once, for declared reasons only, and says why it rejects', async t => {
      const { definition, stage } = await startStage(t)
      t.teardown(() => stage.close?.())
      for (const outcome of run(stage, definition, eventsOf(operator))) {
        t.notOk(outcome instanceof Promise)
        if (outcome instanceof Drop) t.ok(drops.includes(outcome.reason), outcome.reason)
        if (outcome instanceof Reject) {
          t.ok(rejects.includes(outcome.reason), outcome.reason)
          t.not(outcome.detail, '')
        }
      }
    })

    t.test('its fixture shows that it changes or stops something', async t => {
      const { definition, stage } = await startStage(t)
      t.teardown(() => stage.close?.())
      const events = eventsOf(operator)
      t.ok(run(stage, definition, events).some((outcome, index) => outcome !== events[index]))
    })

    t.test('says the same again, and so does another instance', async t => {
      const first = await startStage(t)
      const second = await startStage(t)
      t.teardown(() => Promise.all([first.stage.close?.(), second.stage.close?.()]))
      const events = eventsOf(operator)
      const once = run(first.stage, first.definition, events).map(seen)
      t.same(run(first.stage, first.definition, events).map(seen), once)
      t.same(run(second.stage, second.definition, events).map(seen), once)
    })

    t.test('leaves alone what belongs to the broker', async t => {
      const { definition, stage } = await startStage(t)
      t.teardown(() => stage.close?.())
      const events = eventsOf(operator)
      run(stage, definition, events).forEach((outcome, index) => {
        if (outcome instanceof Drop || outcome instanceof Reject) return
        for (const event of [outcome].flat() as Event[]) {
          const { seq, source, receivedAt, origin } = events[index]!
          t.equal(event.seq, seq)
          t.equal(event.source, source)
          t.equal(event.receivedAt, receivedAt)
          t.equal(event.origin, origin)
        }
      })
    })

    t.test('throws on nothing, whatever the bytes and the value', async t => {
      const { definition, stage } = await startStage(t)
      t.teardown(() => stage.close?.())
      const values = fc.oneof(fc.jsonValue(), fc.constant(undefined), fc.bigInt(), fc.uint8Array(), fc.double())
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 80 }), values, fc.option(fc.string()), (bytes, value, id) => {
          // The functions of the fixtures expect objects; what a user's function throws is the user's.
          const isUsers = ['validate', 'split'].includes(name)
          const event = received(bytes, { id: id ?? undefined, key: 'ada' }).with({
            value: isUsers ? { total: value } : value,
          })
          const [outcome] = run(stage, definition, [event])
          return (
            outcome instanceof Event || outcome instanceof Drop || outcome instanceof Reject || Array.isArray(outcome)
          )
        }),
      )
    })
    t.end()
  })
}
