import { test } from 'tap'
import { type DemoOptions, runDemo } from '../../examples/shop/demo.js'

function demo(options: Partial<DemoOptions>) {
  const written = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof written) => ({ write: (text: string) => (written[name] += text) })
  const io = { stdout: stream('stdout'), stderr: stream('stderr') }
  const done = runDemo({ events: 5_000, seed: 1, json: false, keep: false, ...options }, io)
  return done.then(exitCode => ({ exitCode, ...written }))
}

test('the demo drains a backlog, and the oracle agrees; the last line is one JSON object', async t => {
  const { exitCode, stdout } = await demo({ json: true })
  t.equal(exitCode, 0)
  const summary = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Record<string, unknown>
  t.match(summary, {
    events: 5_000,
    applied: Number,
    duplicates: Number,
    deadLetters: { truncated: Number, rule: Number, unknown_schema: Number, wrong_framing: Number },
    triggers: { welcome: Number, big_spender: Number, cart_abandoned: Number, browse_intent: Number },
    suppressed: Number,
    segments: Object,
    profiles: Number,
    mismatches: 0,
    missingTriggers: 0,
    unexpectedTriggers: 0,
    repeatedTriggers: 0,
    orderViolations: 0,
    eventsPerSecond: Number,
    latencyMs: { p50: Number, p99: Number, p999: Number },
    rssMb: Number,
  })
  const { applied, duplicates, deadLetters } = summary as { applied: number; duplicates: number; deadLetters: object }
  const dead = (Object.values(deadLetters) as number[]).reduce((total, count) => total + count, 0)
  t.equal(applied + duplicates + dead, 5_000)
})

test('the demo at a rate keeps up, and shows a table', async t => {
  const { exitCode, stdout } = await demo({ rate: 2_000, users: 200 })
  t.equal(exitCode, 0)
  t.match(stdout, /^events +5,000$/m)
  t.match(stdout, /^events\/s, published at 2,000\/s +\d/m)
  t.match(stdout, /^The oracle agrees/m)
})
