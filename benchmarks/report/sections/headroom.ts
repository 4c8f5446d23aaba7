/**
 * How far ahead of its fastest peer any engine could be on this machine. The servers share its cores, and what an event costs
 * them stays when the engine in front of them costs nothing.
 */
import { entriesAt, numberAt, textAt } from '../figures.js'
import type { SavedResult } from '../saved-results.js'

/** What the comparison is after. */
const aim = 5

/** Empty when something of it was not measured. */
export function headroom({ machine, result }: SavedResult): string {
  const cores = numberAt(machine, 'cores')
  const peer = fastestPeer(result)
  const [natsUs, redisUs] = ['nats', 'redis'].map(server =>
    numberAt(result, 'contenders', 'millrace', 'cpuUsPerEvent', server),
  )
  const receiveUs = numberAt(result, 'ceilings', 'reader', 'cpuUsPerEvent', 'engine')
  if (cores === undefined || peer === undefined || natsUs === undefined || redisUs === undefined) return ''
  const serversUs = natsUs + redisUs
  const most = (cores * 1e6) / serversUs
  const leftUs = (cores * 1e6) / (aim * peer.rate) - serversUs
  const left = leftUs > 0 ? `leaves the engine ${leftUs.toFixed(1)} us` : 'is beyond that'
  const needed = receiveUs === undefined ? '' : `; to receive an event takes ${receiveUs.toFixed(1)}`
  return (
    `Of an event's processor time ${serversUs.toFixed(1)} us are the servers' (NATS ${natsUs.toFixed(1)}, Redis ${redisUs.toFixed(1)}). ` +
    `On these ${cores} cores an engine that costs nothing would do ${thousands(most)} events/s, ` +
    `${(most / peer.rate).toFixed(1)} times the fastest peer (${peer.label}). ` +
    `Being ${aim} times as fast ${left}${needed}.`
  )
}

function fastestPeer(result: SavedResult['result']): { readonly label: string; readonly rate: number } | undefined {
  let fastest: { readonly label: string; readonly rate: number } | undefined
  for (const [name, contender] of entriesAt(result, 'contenders')) {
    const rate = numberAt(contender, 'eventsPerSecond')
    if (name === 'millrace' || rate === undefined || rate <= (fastest?.rate ?? 0)) continue
    fastest = { label: textAt(contender, 'label') ?? name, rate }
  }
  return fastest
}

function thousands(rate: number): string {
  return (Math.round(rate / 1000) * 1000).toLocaleString('en-US')
}
