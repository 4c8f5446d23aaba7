/**
 * What of a partition's effects is known to be out: the coordinate of its last message in each published stream. Effects are
 * published in order, so everything at or below it needs no second publishing, however old the Redis state is.
 */
import { MillraceError } from './errors.js'
import { lanes, type Lane, type Names } from './nats/names.js'
import type { Streams } from './nats/streams.js'
import { isAfter, noCoordinate, parseCoordinate, positionHeader, type Coordinate } from './outbox-entry.js'

interface Floor {
  readonly coordinate: Coordinate
  /** The last message is so young that the stream still recognizes every id that was sent with it. */
  readonly isYoung: boolean
}

const noFloor: Floor = { coordinate: noCoordinate, isYoung: true }

export class Floors {
  private constructor(private readonly floors: ReadonlyMap<Lane, Floor>) {}

  /** `now` is epoch milliseconds. Throws `output_shared` when the last message is another pipeline's. */
  static async read(
    streams: Pick<Streams, 'last' | 'facts'>,
    names: Names,
    pipeline: string,
    partition: number,
    now: number,
  ): Promise<Floors> {
    const read = lanes.map(async (lane): Promise<[Lane, Floor]> => {
      const stream = names.streams[lane]
      const last = await streams.last(stream, names.laneFilter(lane, partition))
      if (last === undefined) return [lane, noFloor]
      const id = last.header('Nats-Msg-Id')
      const coordinate = parseCoordinate(last.header(positionHeader))
      if (coordinate === undefined || !isOf(id, pipeline)) {
        const text = `stream "${stream}" sequence ${last.seq} of partition ${partition} is not pipeline "${pipeline}"'s: id "${id}"`
        throw new MillraceError('output_shared', text)
      }
      // Half of the window: what waited in the outbox was sent a little before the last message.
      const isYoung = last.storedAt > now - (await streams.facts(stream)).duplicateWindowMs / 2
      return [lane, { coordinate, isYoung }]
    })
    return new Floors(new Map(await Promise.all(read)))
  }

  /** The highest position that an effect was published for; -1 when none was. */
  get highestSeq(): number {
    return Math.max(...[...this.floors.values()].map(({ coordinate }) => coordinate.seq))
  }

  isPublished(lane: Lane, coordinate: Coordinate): boolean {
    return !isAfter(coordinate, this.floors.get(lane)!.coordinate)
  }

  /**
   * For an entry that is still in the stored outbox: true when it need not be sent again. One that failed while its followers
   * were stored lies below the floor and is missing all the same; as long as the stream recognizes ids, sending all that is
   * left is safe and closes that hole.
   */
  isSettled(lane: Lane, coordinate: Coordinate): boolean {
    return this.isPublished(lane, coordinate) && !this.floors.get(lane)!.isYoung
  }
}

/** First part of every message id: the pipeline and this state of it. */
export function incarnationOf(pipeline: string, stateId: string): string {
  return `${pipeline}-${stateId.slice(0, 8)}`
}

function isOf(messageId: string, pipeline: string): boolean {
  return messageId.startsWith(`${pipeline}-`) && /^[0-9a-f]{8}:/.test(messageId.slice(pipeline.length + 1))
}
