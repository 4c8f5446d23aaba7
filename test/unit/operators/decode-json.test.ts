import t from 'tap'
import { decodeJson } from '../../../operators/index.js'
import { context, eventOf, received, start, told } from './stage.js'

const stage = await start(decodeJson())
const process = (payload: Uint8Array | string) => stage.process(received(payload), context)

t.test('a JSON object becomes the value', t => {
  const event = eventOf(process('{"key":"ada","id":"e1","occurredAt":5,"total":1.5,"tags":["a",null]}'))
  t.same(event.value, { key: 'ada', id: 'e1', occurredAt: 5, total: 1.5, tags: ['a', null] })
  t.match(event, { key: 'ada', id: 'e1', occurredAt: 5 })
  t.end()
})

t.test('paths of the envelope are options', async t => {
  const github = await start(decodeJson({ key: 'sender.login', id: 'delivery', occurredAt: 'at' }))
  const event = eventOf(github.process(received('{"sender":{"login":"ada"},"delivery":1}'), context))
  t.match(event, { key: 'ada', id: '1' })
})

t.test('what is not JSON is rejected without quoting it', t => {
  for (const payload of ['', 'secret', '{"key":"secret"', '{key:"secret"}', '\ufeff{}']) {
    const outcome = process(payload)
    t.equal(told(outcome), 'reject:not_json', payload)
    t.notMatch(outcome, { detail: /secret/ })
  }
  t.match(process('{"key":1,}'), { detail: /position 9/ })
  t.end()
})

t.test('what is not UTF-8 is rejected, not repaired', t => {
  const payload = Buffer.from('{"key":"Größe"}', 'latin1')
  t.match(process(payload), { reason: 'not_json', detail: 'not UTF-8' })
  t.end()
})

t.test('JSON that is no object is rejected', t => {
  for (const [payload, kind] of [
    ['null', 'null'],
    ['[1]', 'an array'],
    ['"x"', 'a string'],
    ['1', 'a number'],
    ['true', 'a boolean'],
  ] as const) {
    t.match(process(payload), { reason: 'not_object', detail: `the payload is ${kind}` })
  }
  t.end()
})

t.test('maxBytes is the largest payload that passes', async t => {
  const payload = '{"key":"ada"}'
  const exact = await start(decodeJson({ maxBytes: payload.length }))
  const tight = await start(decodeJson({ maxBytes: payload.length - 1 }))
  t.equal(eventOf(exact.process(received(payload), context)).key, 'ada')
  t.match(tight.process(received(payload), context), { reason: 'too_large', detail: '13 bytes, more than 12' })
})

t.test('no member called __proto__ gets in, however it is spelled', t => {
  for (const name of [
    '__proto__',
    '\\u005f_proto__',
    '__pr\\u006Fto__',
    '__\\u0070roto__',
    '__p\\u0072oto__',
    '__pro\\u0074o__',
  ]) {
    const value = eventOf(process(`{"key":"ada","a":[{"${name}":{"admin":true},"b":1}]}`)).value as { a: object[] }
    t.same(Object.getOwnPropertyNames(value.a[0]), ['b'], name)
    t.equal(Object.getPrototypeOf(value.a[0]), Object.prototype)
  }
  t.end()
})

t.test('a key is not taken from what objects inherit', async t => {
  const odd = await start(decodeJson({ key: 'constructor.name' }))
  t.equal(told(odd.process(received('{}'), context)), 'reject:key_missing')
})
