/**
 * What of a partition's effects is known to be out: the coordinate of its last message in each published stream. Effects are
 * published in order, so everything at or below it needs no second publishing, however old the Redis state is.
 */
import type { Clock } from '../clock.js'
import { MillraceError } from '../errors.js'
import type { Fence } from '../nats/fence.js'
import { lanes, type Lane, type Names } from '../nats/names.js'
import type { Streams } from '../nats/streams.js'
import { isAfter, noCoordinate, parseCoordinate, positionHeader, type Coordinate } from '../outbox/outbox-entry.js'

/** How far publishing has come in one lane. */
export interface Floor {
  readonly coordinate: Coordinate
  /** Where the last message is in its stream; 0 when there is none. */
  readonly streamSeq: number
  /** The last message is so young that the stream still recognizes every id that was sent with it. */
  readonly isYoung: boolean
  /** What the lane's stream checks about a publish. */
  readonly fence: Fence
  /** The lane's stream is kept by several servers. */
  readonly isReplicated: boolean
}

export interface FloorScope {
  readonly streams: Pick<Streams, 'last' | 'facts' | 'fence'>
  readonly names: Names
  readonly pipeline: string
  readonly partition: number
  readonly clock: Pick<Clock, 'wallMs'>
}

/** Throws `output_shared` when the lane's last message is another pipeline's. */
export async function readFloor(
  { streams, names, pipeline, partition, clock }: FloorScope,
  lane: Lane,
): Promise<Floor> {
  const stream = names.streams[lane]
  const [facts, last] = await Promise.all([
    streams.facts(stream),
    streams.last(stream, names.laneFilter(lane, partition)),
  ])
  const checked = { fence: streams.fence(facts), isReplicated: facts.isReplicated }
  if (last === undefined) return { coordinate: noCoordinate, streamSeq: 0, isYoung: true, ...checked }
  const id = last.header('Nats-Msg-Id')
  const coordinate = parseCoordinate(last.header(positionHeader))
  if (coordinate === undefined || !isOf(id, pipeline)) {
    const text = `stream "${stream}" sequence ${last.seq} of partition ${partition} is not pipeline "${pipeline}"'s: id "${id}"`
    throw new MillraceError('output_shared', text)
  }
  // Half of the window: what waited in the outbox was sent a little before the last message.
  const isYoung = last.storedAt > clock.wallMs() - facts.duplicateWindowMs / 2
  return { coordinate, streamSeq: last.seq, isYoung, ...checked }
}

export class Floors {
  private constructor(private readonly floors: ReadonlyMap<Lane, Floor>) {}

  /** Throws `output_shared`. */
  static async read(scope: FloorScope): Promise<Floors> {
    const read = lanes.map(async (lane): Promise<[Lane, Floor]> => [lane, await readFloor(scope, lane)])
    return new Floors(new Map(await Promise.all(read)))
  }

  of(lane: Lane): Floor {
    return this.floors.get(lane)!
  }

  /** The highest position that an effect was published for; -1 when none was. */
  get highestSeq(): number {
    return Math.max(...[...this.floors.values()].map(({ coordinate }) => coordinate.seq))
  }

  isPublished(lane: Lane, coordinate: Coordinate): boolean {
    return !isAfter(coordinate, this.of(lane).coordinate)
  }

  /**
   * For an entry that is still in the stored outbox: true when it need not be sent again. Without a fence, one that failed
   * while its followers were stored lies below the floor and is missing all the same; as long as the stream recognizes ids,
   * sending all that is left is safe and closes that hole.
   */
  isSettled(lane: Lane, coordinate: Coordinate): boolean {
    const { fence, isYoung } = this.of(lane)
    return this.isPublished(lane, coordinate) && (fence !== 'none' || !isYoung)
  }
}

/** First part of every message id: the pipeline and this state of it. */
export function incarnationOf(pipeline: string, stateId: string): string {
  return `${pipeline}-${stateId.slice(0, 8)}`
}

function isOf(messageId: string, pipeline: string): boolean {
  return messageId.startsWith(`${pipeline}-`) && /^[0-9a-f]{8}:/.test(messageId.slice(pipeline.length + 1))
}
