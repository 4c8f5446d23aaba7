/** What the owners of the model share: the two servers, the way to them, and the protections that are switched off. */
import type { Random } from '../../examples/shop/random.js'
import { Broker } from './broker.js'
import type { Definition, Profile, StreamEvent, Trigger } from './definition.js'
import { Network } from './network.js'
import type { WithoutRules } from './rules.js'
import { ModelStore, type StoreState } from './store.js'

/** An owner that has not shown to live for so long may be replaced. */
export const leaseTicks = 24
/** The broker recognizes the id of a message for less time than a publish may be on its way. */
const windowTicks = 30
/** It forgets an unfinished fast batch after so long without a message of it. */
const batchTicks = 5
/** The same where nobody looks at it. */
const endlessBatchTicks = 60

export type HaltReason = 'anchor_mismatch' | 'stream_truncated' | 'definition_rolled_back'

/** What the meta holds besides token, position and commit id. */
export interface Fields {
  /** Id of the event at the position, 0 at the start. */
  readonly anchor: number
  readonly definition: Definition
  /** How many definitions were in force before and with this one. */
  readonly change: number
  readonly from: number
  /** Every event this state was computed from. No owner looks at it; it is for the judge. */
  readonly trail: readonly { readonly event: StreamEvent; readonly definition: Definition }[]
}

export type PlaceState = StoreState<Fields, Profile, Trigger>

/** What may happen in a schedule, besides requests and replies that are lost or late. */
export interface Faults {
  readonly pauses: boolean
  readonly crashes: boolean
  /** Of each request and reply to arrive long after its sender has given up. */
  readonly lateChance: number
  /** Triggers may be late too. */
  readonly latePublishes: boolean
  /** The broker takes fast batches: message by message, each of which may be late. */
  readonly fastBatches: boolean
  /** Owners hand over. */
  readonly handOvers: boolean
  readonly outages: boolean
  /** Redis fails over to a replica that lags. */
  readonly failOvers: boolean
  /** A commit breaks off halfway. */
  readonly breaks: boolean
  /** Deliveries of the broker get lost. */
  readonly losses: boolean
  /** The broker is brought back with an older store. */
  readonly restores: boolean
  /** A new definition is rolled out. */
  readonly deploys: boolean
}

const start: Fields = { anchor: 0, definition: 'old', change: 1, from: 0, trail: [] }

export class Place {
  readonly network: Network
  readonly store: ModelStore<Fields, Profile, Trigger>
  readonly broker: Broker
  /** What a replica that starts now runs. */
  deployed: Definition = 'old'

  constructor(
    readonly random: Random,
    readonly without: WithoutRules,
    readonly faults: Faults,
  ) {
    this.broker = new Broker(windowTicks, without.has('batch_window') ? endlessBatchTicks : batchTicks, start)
    const { lateChance, latePublishes } = faults
    this.network = new Network(random, {
      redis: lateChance,
      nats: lateChance,
      triggers: latePublishes ? lateChance : 0,
    })
    this.store = new ModelStore<Fields, Profile, Trigger>(start, without)
  }

  get losesDeliveries(): boolean {
    return this.faults.losses && this.network.isTroubled
  }

  /** How many writes a commit gets done. */
  breakAfter(random: Random): number {
    return this.faults.breaks && this.network.isTroubled && random.chance(0.15) ? random.whole(0, 5) : Infinity
  }

  /** Why the stream is not the one that was read up to `position`, where `anchor` was found, if that is known. */
  problemAt(position: number, anchor: number | undefined): HaltReason | undefined {
    if (this.without.has('anchor_check')) return undefined
    const { events } = this.broker
    if (events.length < position) return 'stream_truncated'
    if (position === 0 || anchor === undefined) return undefined
    return events[position - 1]!.id === anchor ? undefined : 'anchor_mismatch'
  }
}
