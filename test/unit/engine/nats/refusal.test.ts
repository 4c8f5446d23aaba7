import { NatsError } from 'nats'
import { test } from 'tap'
import { refusalOf } from '../../../../engine/nats/refusal.js'

/** As the client gives what JetStream has answered. */
function answer(code: number, err_code: number, description: string): NatsError {
  const error = new NatsError(description.toLowerCase(), String(code))
  error.api_error = { code, err_code, description }
  return error
}

const refusals: readonly (readonly [code: number, err_code: number, description: string])[] = [
  [400, 10065, 'subjects overlap with an existing stream'],
  [500, 10074, 'replicas > 1 not supported in non-clustered mode'],
  [400, 10113, 'account requires a stream config to have max bytes set'],
  [400, 10027, 'maximum number of streams reached'],
  [400, 10120, 'no JetStream default or applicable tiered limit present'],
  [500, 10052, 'duplicates window can not be larger then max age'],
]
for (const [code, err_code, description] of refusals) {
  test(`for good: ${description}`, async t => {
    t.equal(refusalOf(answer(code, err_code, description)), description, "in the server's words")
  })
}

const passing: typeof refusals = [
  [503, 10008, 'JetStream system temporarily unavailable'],
  [400, 10005, 'no suitable peers for placement'],
  [503, 10023, 'insufficient resources'],
  [500, 10028, 'insufficient memory resources available'],
  [500, 10047, 'insufficient storage resources available'],
  [500, 10009, 'JetStream cluster can not handle request'],
  [503, 10004, 'incomplete results'],
  [400, 10058, 'stream name already in use with a different configuration'],
  [500, 10049, 'an error of another kind'],
  [500, 99999, 'an error that is not known yet'],
]
for (const [code, err_code, description] of passing) {
  test(`may pass: ${description}`, async t => {
    t.equal(refusalOf(answer(code, err_code, description)), undefined)
  })
}

test('what JetStream has not answered is no refusal', async t => {
  t.equal(refusalOf(new NatsError('TIMEOUT', 'TIMEOUT')), undefined)
  t.equal(refusalOf(new Error('subjects overlap with an existing stream')), undefined)
  t.equal(refusalOf(undefined), undefined)
})
