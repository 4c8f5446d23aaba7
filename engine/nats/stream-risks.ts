/** What an existing stream allows that its owner may not have meant. Nothing of it is wrong in itself, so nothing stops for it. */
import { DiscardPolicy, type NatsConnection, type StreamConfig } from 'nats'
import { isNotFound, natsError } from './connection.js'
import { lanes, ledgerStream, type Names } from './names.js'

/** A sentence for each; `replicas` is how many each stream should have. */
export async function streamRisks(connection: NatsConnection, names: Names, replicas: number): Promise<string[]> {
  const manager = await connection.jetstreamManager({ timeout: 5_000, checkAPI: false })
  const { events } = names.streams
  const risks: string[] = []
  for (const stream of [events, ...lanes.map(lane => names.streams[lane]), ledgerStream]) {
    try {
      const { config } = await manager.streams.info(stream)
      if (stream === events) risks.push(...removals(config))
      if (config.num_replicas < replicas) {
        risks.push(`stream "${stream}" has num_replicas ${config.num_replicas}, "replicas" says ${replicas}`)
      }
    } catch (error) {
      // Whether it must be there, provisioning has said.
      if (!isNotFound(error)) throw natsError(error, `cannot read stream "${stream}"`)
    }
  }
  return risks
}

function removals({ name, discard, max_bytes: bytes, max_msgs: messages }: StreamConfig): string[] {
  if (discard !== DiscardPolicy.Old) return []
  const bounds = [...(bytes > 0 ? [`max_bytes ${bytes}`] : []), ...(messages > 0 ? [`max_msgs ${messages}`] : [])]
  return bounds.map(
    bound =>
      `stream "${name}" removes its oldest events at ${bound}, processed or not; with discard "new" it refuses new ones instead`,
  )
}
