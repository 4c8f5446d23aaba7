import { ErrorCode, NatsError } from 'nats'
import { test } from 'tap'
import { MillraceError } from '../../../../engine/errors.js'
import { natsError } from '../../../../engine/nats/connection.js'

/** As the client gives any 503 of JetStream: its own text is only the number. */
function unavailable(err_code: number, description: string): NatsError {
  const error = NatsError.errorForCode(ErrorCode.JetStreamNotEnabled)
  error.api_error = { code: 503, err_code, description }
  return error
}

test('JetStream that is not there is told apart from one that cannot answer now', async t => {
  const codeOf = (error: unknown) => natsError(error, 'asking').code
  t.equal(codeOf(NatsError.errorForCode(ErrorCode.NoResponders)), 'jetstream_missing', 'nobody answers')
  t.equal(codeOf(unavailable(10076, 'JetStream not enabled')), 'jetstream_missing')
  t.equal(codeOf(unavailable(10039, 'JetStream not enabled for account')), 'jetstream_missing')
  t.equal(codeOf(unavailable(10008, 'JetStream system temporarily unavailable')), 'nats_unavailable', 'no leader')
  t.equal(codeOf(unavailable(10023, 'insufficient resources')), 'nats_unavailable')
})

test("the server's words are kept, and the cause", async t => {
  const cause = unavailable(10008, 'JetStream system temporarily unavailable')
  const error = natsError(cause, 'cannot use JetStream')
  t.equal(error.message, 'cannot use JetStream: JetStream system temporarily unavailable')
  t.equal(error.cause, cause)
  t.equal(natsError(new Error('refused'), 'cannot connect').message, 'cannot connect: refused')
})

test('refused credentials, and what already has a code', async t => {
  for (const code of [ErrorCode.AuthorizationViolation, ErrorCode.AuthenticationExpired, ErrorCode.AccountExpired])
    t.equal(natsError(NatsError.errorForCode(code), 'connecting').code, 'authentication_failed', code)
  t.equal(natsError(NatsError.errorForCode(ErrorCode.PermissionsViolation), 'asking').code, 'permission_denied')
  const known = new MillraceError('stream_missing', 'there is no stream "EVENTS"')
  t.equal(natsError(known, 'asking'), known)
})
