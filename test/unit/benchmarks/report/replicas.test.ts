import t from 'tap'
import type { SavedResult } from '../../../../benchmarks/report/saved-results.js'
import { replicas } from '../../../../benchmarks/report/sections/costs.js'

const saved = (result: SavedResult['result']): SavedResult => {
  const machine = { cores: 2, cpu: 'A CPU', memoryGb: 8, node: 'v20.1.0' }
  return { question: 'replicas', date: '2026-01-02', commit: 'abc1234', machine, versions: '', result }
}
const one = {
  eventsPerSecond: 70_000,
  eventsPerSecondRange: [68_000, 72_000],
  cpuUsPerEvent: { engine: 12.5, nats: 8, redis: 2 },
}

t.test('what a core carries is worked out from one process', async t => {
  const { markdown } = replicas(saved({ 1: one, 2: { ...one, eventsPerSecond: 90_000 } }))
  t.match(markdown, /\| 1 +\| +70,000 \| 68,000 to 72,000 \|/)
  t.match(
    markdown,
    'a core carries 80,000 events/s as a replica, 500,000 as a Redis, 125,000 as a part of nats-server.',
  )
})

t.test('without one process nothing is said about cores', async t => {
  t.notMatch(replicas(saved({ 2: one })).markdown, 'carries')
})
