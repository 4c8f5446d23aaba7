/** A NATS user with restricted rights: those that the README lists suffice, and one that is missing is named. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test, type Test } from 'tap'
import type { NatsRelease } from '../../engine/cli/local/nats.js'
import { eventually } from '../support/eventually.js'
import { exactlyOnce } from '../support/exactly-once.js'
import { installation, type Ended } from '../support/installation.js'
import { testOnEachNats } from '../support/nats-releases.js'
import { startNats } from '../support/servers.js'
import { visits } from '../support/visits.js'
import { visitsOf, world } from '../support/world.js'

const readme = readFileSync(fileURLToPath(new URL('../../../README.md', import.meta.url)), 'utf8')
const [, listed = ''] = /restricted rights\s+needs to publish and subscribe to (.*?)\.\n/s.exec(readme) ?? []
const rights = [...listed.matchAll(/`([^`]+)`/g)].map(([, subject]) => subject!)

/** Everybody may do everything but the user `restricted`, who lacks these of the rights. */
function usersWithout(...missing: readonly string[]): string {
  const allowed = JSON.stringify(rights.filter(subject => !missing.includes(subject)))
  return `
    no_auth_user: anybody
    authorization { users: [
      { user: anybody, password: anything }
      { user: restricted, password: restricted, permissions: { publish: ${allowed}, subscribe: ${allowed} } }
    ] }`
}

const restricted = { MILLRACE_NATS_USER: 'restricted', MILLRACE_NATS_PASSWORD: 'restricted' }

testOnEachNats('the rights that the README lists are enough', async (t, nats) => {
  t.ok(rights.length > 5, 'the README has a list')
  const { broker, start } = await world(t, { ...nats, config: usersWithout() })
  const engine = await start(visits(), { settings: restricted })
  const sent = visitsOf(200)
  await broker.publish(...sent)
  await exactlyOnce(t, broker, engine, sent)
  t.strictSame(
    engine.log.lines.filter(({ level }) => level === 'warn' || level === 'error'),
    [],
  )
})

testOnEachNats('what may not be published is named, and is published when it may', async (t, nats) => {
  const { broker, start } = await world(t, { ...nats, config: usersWithout('triggers.>') })
  const engine = await start(visits(), { settings: restricted })
  const sent = visitsOf(100)
  await broker.publish(...sent)
  const refusal = () => engine.log.lines.find(({ sentence }) => sentence === 'NATS does not allow this')
  await eventually('a refusal is logged', () => refusal() !== undefined)
  t.match(refusal()!.fields, { operation: 'publish', subject: /^triggers\.seen\.\d$/ })
  t.equal(await broker.count('TRIGGERS'), 0)
  await engine.stop(500)
  await exactlyOnce(t, broker, await start(), sent)
})

/** What `check` says of NATS to a user without this right. */
async function checked(t: Test, nats: { release: NatsRelease }, missing: string): Promise<Ended> {
  const server = await startNats(t, { ...nats, config: usersWithout(missing) })
  const settings = { nats: { servers: [`127.0.0.1:${server.port}`], user: 'restricted', password: 'restricted' } }
  const { millrace } = installation(t, { ...settings, redis: { url: 'redis://127.0.0.1:1' } })
  return millrace('check', '--provision')
}

for (const missing of ['$JS.API.>', '_INBOX.>']) {
  testOnEachNats(`a user without ${missing} is told so`, async (t, nats) => {
    const { code, stdout } = await checked(t, nats, missing)
    t.equal(code, 1)
    const place = missing.slice(0, -1).replaceAll(/[.$]/g, '\\$&')
    t.match(stdout, new RegExp(`^no {2}NATS: permission_denied: .*${place}`, 'm'))
  })
}

test('before NATS 2.10 a user who may not see where events arrive is told so', async t => {
  const { code, stdout } = await checked(t, { release: 'installed' }, 'events.>')
  t.equal(code, 1)
  t.match(stdout, /^no {2}NATS: permission_denied: .*events\./m)
})
