import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { connect } from 'nats'
import { test } from 'tap'
import { EngineProcess } from '../../examples/shop/demo-engine.js'
import { eventually } from '../support/eventually.js'
import { startServers } from '../support/servers.js'

interface Payload {
  readonly action?: string
  readonly sender?: { readonly login: string }
  readonly repository?: { readonly full_name: string }
  readonly commits?: readonly unknown[]
}

const execute = promisify(execFile)
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const main = path('../../engine/cli/main.js')
// Definitions are run from their source.
const source = path('../../../examples/github/pipeline.ts')

const kinds = createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly {
  readonly name: string
  readonly examples: readonly Payload[]
}[]
/** Every delivery once: the package holds some payloads twice. */
const deliveries = [
  ...new Map(
    kinds.flatMap(({ name, examples }) =>
      examples.map(payload => [`${name} ${JSON.stringify(sorted(payload))}`, { name, payload }] as const),
    ),
  ).values(),
]
const ofCodertocat = deliveries.filter(({ payload }) => payload.sender?.login === 'Codertocat')
const named = (name: string) => ofCodertocat.filter(delivery => delivery.name === name)

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  )
}

async function writeEvents(file: string): Promise<void> {
  const { stdout } = await execute(process.execPath, [path('../../examples/github/write-events.js')], {
    maxBuffer: 64 * 1024 * 1024,
  })
  await writeFile(file, stdout)
}

test('webhook payloads of strangers become profiles and triggers of the accounts that caused them', async t => {
  const { nats, redis, folder } = await startServers(t)
  const events = join(folder, 'events.ndjson')
  const config = join(folder, 'millrace.yaml')
  await writeEvents(events)
  await writeFile(
    config,
    JSON.stringify({
      pipeline: source,
      nats: { servers: [`127.0.0.1:${nats.port}`] },
      redis: { url: redis.socket },
      admin: { port: 0 },
    }),
  )
  const engine = await EngineProcess.start(main, config, join(folder, 'engine.log'))
  t.teardown(() => engine.stop())
  await eventually('the engine is ready', async () => (await engine.status()).ready)

  const publish = () =>
    execute(process.execPath, [
      ...[main, '--config', config, 'publish', events, '--source', 'github'],
      ...['--type-field', 'event', '--key', 'sender.login'],
    ])
  const { stderr } = await publish()
  const withoutSender = kinds.flatMap(({ examples }) => examples.filter(payload => payload.sender === undefined))
  t.equal(withoutSender.length, 4)
  t.equal(stderr.match(/has no key at sender\.login/g)?.length, withoutSender.length)

  const published = kinds.flatMap(({ examples }) => examples).length - withoutSender.length
  const processed = async () => (await engine.metrics()).get('millrace_events_total') === published
  await eventually('all events are processed', processed)

  const profile = await engine.profile('Codertocat')
  const heard = new Set(await definedTypes(source))
  const expected = ofCodertocat.filter(({ name }) => heard.has(name))
  t.match(profile?.traits, {
    events: expected.length,
    repositories: new Set(expected.flatMap(({ payload }) => payload.repository?.full_name ?? [])).size,
    issuesOpened: named('issues').filter(({ payload }) => payload.action === 'opened').length,
    commits: named('push').reduce((total, { payload }) => total + payload.commits!.length, 0),
  })
  const byType = profile!.traits.eventsByType as { value: string; count: number }[]
  const counts = new Map<string, number>()
  for (const { name } of expected) counts.set(name, (counts.get(name) ?? 0) + 1)
  t.same(new Map(byType.map(({ value, count }) => [value, count])), counts)
  t.match(profile!.traits.lastActivity, { type: String, at: Number })
  t.same(Object.keys(profile!.segments), ['regular'])

  const connection = await connect({ servers: nats.url })
  t.teardown(() => connection.close())
  const manager = await connection.jetstreamManager()
  const stored = async (subject: string) => {
    const { state } = await manager.streams.info('TRIGGERS', { subjects_filter: subject })
    return Object.values(state.subjects ?? {}).reduce((total, count) => total + count, 0)
  }
  const stars = named('star').filter(({ payload }) => payload.action === 'created')
  await eventually('a trigger for each star', async () => (await stored('triggers.starred.*')) === stars.length)
  t.equal(await stored('triggers.first_issue.*'), 1)

  await publish()
  await eventually('the copies are processed', async () => {
    return (await engine.metrics()).get('millrace_events_total') === 2 * published
  })
  t.same((await engine.profile('Codertocat'))?.traits, profile!.traits)
})

/** The list `types` of the definition. */
async function definedTypes(file: string): Promise<string[]> {
  const [, list] = /const types = \[([^\]]*)\]/.exec(await readFile(file, 'utf8'))!
  return [...list!.matchAll(/'(\w+)'/g)].map(match => match[1]!)
}
