/** Which sender takes which lane: fenced where the lane's stream checks a publish, pipelined over all lanes elsewhere. */
import type { EngineContext } from '../context.js'
import { lanes, type Lane } from '../nats/names.js'
import { readFloor, type Floors } from '../partition/floors.js'
import { FencedSender } from './fenced-sender.js'
import type { Sender, SenderEvents } from './outbox.js'
import { PipelinedSender } from './pipelined-sender.js'

/** `maySend` is asked before each write: the lease must be young. */
export function openSenders(
  { publisher, names, streams, pipeline, clock }: EngineContext,
  partition: number,
  floors: Floors,
  maySend: () => boolean,
  events: SenderEvents,
): ReadonlyMap<Lane, Sender> {
  const pipelined = new PipelinedSender({ publisher, maySend }, events)
  const fenced = (lane: Lane): Sender => {
    const filter = names.laneFilter(lane, partition)
    const scope = { streams, names, pipeline: pipeline.name, partition, clock }
    const options = { publisher, maySend, filter, floor: floors.of(lane), readFloor: () => readFloor(scope, lane) }
    return new FencedSender(options, events)
  }
  return new Map(lanes.map(lane => [lane, floors.of(lane).fence === 'none' ? pipelined : fenced(lane)]))
}
