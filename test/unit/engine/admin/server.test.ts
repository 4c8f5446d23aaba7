import { test } from 'tap'
import { listenError } from '../../../../engine/admin/server.js'

const at = { host: '127.0.0.1', port: 8080 }
const failure = (code: string) => Object.assign(new Error(`listen ${code}: 127.0.0.1:8080`), { code })

test('a port that is taken is said in words of the configuration', async t => {
  const cause = failure('EADDRINUSE')
  const error = listenError(cause, at)
  t.match(error, { code: 'config_invalid' })
  t.equal(error.message, 'admin.port must be free at "127.0.0.1", got 8080: another process listens there')
  t.equal(error.cause, cause)
})

test('any other failure to listen stays as it is', async t => {
  const cause = failure('EACCES')
  t.equal(listenError(cause, at), cause)
})
