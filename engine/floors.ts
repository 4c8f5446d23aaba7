/**
 * What of a partition's effects is known to be out: the coordinate of its last message in each published stream. Effects are
 * published in order, so everything at or below it needs no second publishing, however old the Redis state is.
 */
import { MillraceError } from './errors.js'
import { lanes, type Lane, type Names } from './nats/names.js'
import type { Streams } from './nats/streams.js'
import { isAfter, noCoordinate, parseCoordinate, positionHeader, type Coordinate } from './outbox-entry.js'

export class Floors {
  private constructor(private readonly floors: ReadonlyMap<Lane, Coordinate>) {}

  /** Throws `output_shared` when the last message is another pipeline's. */
  static async read(streams: Streams, names: Names, pipeline: string, partition: number): Promise<Floors> {
    const read = lanes.map(async (lane): Promise<[Lane, Coordinate]> => {
      const stream = names.streams[lane]
      const last = await streams.last(stream, names.laneFilter(lane, partition))
      if (last === undefined) return [lane, noCoordinate]
      const id = last.header('Nats-Msg-Id')
      const coordinate = parseCoordinate(last.header(positionHeader))
      if (coordinate === undefined || !isOf(id, pipeline)) {
        const text = `stream "${stream}" sequence ${last.seq} of partition ${partition} is not pipeline "${pipeline}"'s: id "${id}"`
        throw new MillraceError('output_shared', text)
      }
      return [lane, coordinate]
    })
    return new Floors(new Map(await Promise.all(read)))
  }

  /** The highest position that an effect was published for; -1 when none was. */
  get highestSeq(): number {
    return Math.max(...[...this.floors.values()].map(({ seq }) => seq))
  }

  isPublished(lane: Lane, coordinate: Coordinate): boolean {
    return !isAfter(coordinate, this.floors.get(lane)!)
  }
}

/** First part of every message id: the pipeline and this state of it. */
export function incarnationOf(pipeline: string, stateId: string): string {
  return `${pipeline}-${stateId.slice(0, 8)}`
}

function isOf(messageId: string, pipeline: string): boolean {
  return messageId.startsWith(`${pipeline}-`) && /^[0-9a-f]{8}:/.test(messageId.slice(pipeline.length + 1))
}
