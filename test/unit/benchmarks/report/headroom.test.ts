import t from 'tap'
import type { SavedResult } from '../../../../benchmarks/report/saved-results.js'
import { headroom } from '../../../../benchmarks/report/sections/headroom.js'

const saved = (result: SavedResult['result'], cores: unknown = 2): SavedResult => ({
  question: 'personalization',
  date: '2026-01-02',
  commit: 'abc1234',
  machine: { cores },
  versions: '',
  result,
})
const millrace = { eventsPerSecond: 80_000, cpuUsPerEvent: { engine: 12, nats: 6, redis: 2 } }
const slow = { label: 'Slow', eventsPerSecond: 10_000 }
const fast = { label: 'Fast', eventsPerSecond: 40_000 }
const ceilings = { reader: { cpuUsPerEvent: { engine: 3 } } }

t.test('the servers set the bound, and the fastest peer the distance to it', async t => {
  t.equal(
    headroom(saved({ contenders: { millrace, slow, fast, broken: { label: 'Broken' } }, ceilings })),
    "Of an event's processor time 8.0 us are the servers' (NATS 6.0, Redis 2.0). " +
      'On these 2 cores an engine that costs nothing would do 250,000 events/s, 6.3 times the fastest peer (Fast). ' +
      'Being 5 times as fast leaves the engine 2.0 us; to receive an event takes 3.0.',
  )
})

t.test('what even an engine without cost cannot reach is said so', async t => {
  const faster = { label: 'Faster', eventsPerSecond: 60_000 }
  t.match(
    headroom(saved({ contenders: { millrace, faster } })),
    /4\.2 times .* \(Faster\)\. Being 5 times as fast is beyond that\.$/,
  )
})

t.test('without a peer, the servers or the cores nothing is said', async t => {
  t.equal(headroom(saved({ contenders: { millrace }, ceilings })), '')
  t.equal(headroom(saved({ contenders: { millrace: slow, fast }, ceilings })), '')
  t.equal(headroom(saved({ contenders: { millrace, fast }, ceilings }, 'two')), '')
})
