/**
 * A partition in the hands of its owner, from a checked state to whatever ends it. Three tasks side by side: fold and commit,
 * publish, keep the lease.
 */
import type { Consumer, Published } from './broker.js'
import { emptyProfile, fold, type Definition, type Profile, type StreamEvent, type Trigger } from './definition.js'
import { silence, type Link, type Task } from './network.js'
import type { ModelCommit, Outcome } from './store.js'
import { leaseTicks, type Fields, type Place, type PlaceState } from './place.js'

/** `doubt`: memory or stream is not what it seemed, attach again. */
export type End = 'fenced' | 'conflict' | 'doubt' | 'released'

type Writes = Partial<Pick<ModelCommit<Fields, Profile, Trigger>, 'position' | 'fields' | 'profiles' | 'outbox'>>

const batchEvents = 4
const groupEntries = 3
/** Past it no more is folded. */
const maxOutbox = 12

export class Session {
  /** Decided and stored, not known to be published. */
  #outbox: Trigger[] = []
  /** Entries at the head of the stored outbox that are published. */
  #trimmable = 0
  #consumer: Consumer | undefined
  /** Deliveries of this consumer that were received. */
  #counted = 0
  #received: { seq: number; anchor: number }
  #position: number
  #fields: Fields
  #commitId: string
  #commits = 0
  #publishes = 0
  #isCommitting = false
  #isRenewing = false
  #provenAt: number
  #isStopping = false
  #end: End | undefined
  #profiles = new Map<string, Profile>()
  readonly #token: string

  /** `last` is what was last published when the partition was acquired. */
  constructor(
    private readonly place: Place,
    found: PlaceState,
    private last: Published | undefined,
  ) {
    this.#token = found.token
    this.#position = found.position
    this.#fields = found.fields
    this.#commitId = found.commitId
    this.#received = { seq: found.position, anchor: found.fields.anchor }
    this.#provenAt = place.network.now
  }

  /** Nothing left to do: everything in the stream is folded and published. */
  get isDone(): boolean {
    return this.#position === this.place.broker.events.length && this.#outbox.length === 0 && !this.#isCommitting
  }

  /** Finish what was taken, publish it, give the partition up. */
  stop(): void {
    this.#isStopping = true
  }

  /** Puts a definition in force from the position on. */
  *define(definition: Definition): Task<End | undefined> {
    const change = this.#fields.change + 1
    yield* this.#commit({ fields: { definition, change, from: this.#position } })
    return this.#end
  }

  get fields(): Fields {
    return this.#fields
  }

  *run(): Task<End> {
    const stored = yield* this.#untilAnswered('redis', () => this.place.store.state.outbox)
    this.#outbox = [...stored]
    const tasks = [this.#work(), this.#publish(), this.#keepLease()]
    for (;;) {
      for (const task of tasks) {
        task.next()
        if (this.#end !== undefined) return this.#end
      }
      yield
    }
  }

  *#work(): Task<void> {
    while (!this.#isStopping) {
      const events = this.#outbox.length > maxOutbox ? [] : yield* this.#read()
      if (events.length === 0) yield
      else yield* this.#fold(events)
    }
    while (this.#outbox.length > 0) yield
    yield* this.#commit({})
    yield* this.#untilAnswered('redis', () => this.place.store.release(this.#token))
    this.#end ??= 'released'
  }

  /** The next events. None when nothing came, or when what came cannot be what follows. */
  *#read(): Task<readonly StreamEvent[]> {
    const { broker, without, random } = this.place
    this.#consumer ??= yield* this.#open()
    const consumer = this.#consumer
    if (consumer === undefined) return []
    const before = this.#received.seq
    const isGapChecked = !without.has('gap_check')
    // The server counts what it has delivered; each delivery and each sign of life carries the number.
    const counted = this.#counted
    const reply = yield* this.#ask('nats', () => ({
      deliveries: broker.deliver(consumer, random.whole(1, batchEvents)),
      delivered: consumer.delivered,
    }))
    if (reply === silence) return []
    if (reply.deliveries === 'gone') {
      this.#consumer = undefined
      return []
    }
    const arrived = reply.deliveries.filter(() => !(this.place.losesDeliveries && random.chance(0.02)))
    const events: StreamEvent[] = []
    for (const { number, event } of arrived) {
      if (isGapChecked && number !== counted + events.length + 1) break
      events.push(event)
    }
    this.#counted = counted + events.length
    if (isGapChecked && this.#counted !== reply.delivered) this.#consumer = undefined
    const last = events.at(-1)
    if (last !== undefined && last.seq > before) this.#received = { seq: last.seq, anchor: last.id }
    return events
  }

  /** A consumer behind what was received, once the stream is known to be the one it was received from. */
  *#open(): Task<Consumer | undefined> {
    const { without } = this.place
    const { seq, anchor } = this.#received
    const opened = yield* this.#ask('nats', () => ({
      consumer: this.place.broker.open(seq),
      problem: this.place.problemAt(seq, without.has('reader_anchor') ? undefined : anchor),
    }))
    if (opened === silence) return undefined
    if (opened.problem !== undefined) {
      this.#end ??= 'doubt'
      return undefined
    }
    this.#counted = 0
    return opened.consumer
  }

  *#fold(events: readonly StreamEvent[]): Task<void> {
    const { store, without } = this.place
    const absent = events.filter(({ key }) => !this.#profiles.has(key))
    if (absent.length > 0) {
      const stored = yield* this.#untilAnswered('redis', () => store.state.profiles)
      for (const { key } of absent) this.#profiles.set(key, stored.get(key) ?? emptyProfile)
    }
    const outbox: Trigger[] = []
    const changed = new Map<string, Profile>()
    for (const event of events) {
      const before = this.#profiles.get(event.key)!
      if (event.seq <= before.lastSeq && !without.has('last_seq')) continue
      const { profile, triggers } = fold(before, event, this.#fields.definition)
      this.#profiles.set(event.key, profile)
      changed.set(event.key, profile)
      outbox.push(...triggers.filter(({ at }) => at > this.#floor))
    }
    const last = events.at(-1)!
    const trail = [...this.#fields.trail, ...events.map(event => ({ event, definition: this.#fields.definition }))]
    yield* this.#commit({ position: last.seq, fields: { anchor: last.id, trail }, profiles: [...changed], outbox })
  }

  /** One at a time, the very same again until there is an answer. */
  *#commit(writes: Writes): Task<void> {
    const { store, random, network } = this.place
    while (this.#isRenewing) yield
    this.#isCommitting = true
    const { position = this.#position, fields = {}, profiles = [], outbox = [] } = writes
    const trim = this.#trimmable
    const commit = {
      token: this.#token,
      commitId: `${this.#token}:${++this.#commits}`,
      previousPosition: this.#position,
      previousCommitId: this.#commitId,
      position,
      fields,
      profiles,
      outbox,
      trim,
    }
    for (;;) {
      const askedAt = network.now
      const outcome = yield* this.#untilAnswered('redis', () => store.commit(commit, this.place.breakAfter(random)))
      if (outcome === 'broken') continue
      if (!this.#proves(outcome, askedAt)) return
      break
    }
    this.#commitId = commit.commitId
    this.#position = position
    this.#fields = { ...this.#fields, ...fields }
    this.#trimmable -= trim
    this.#outbox.push(...outbox)
    this.#isCommitting = false
  }

  *#publish(): Task<void> {
    const { broker, network, without } = this.place
    const isFenced = !without.has('publish_fence')
    for (;;) {
      this.#dropPublished()
      const group = rising(this.#outbox.slice(0, groupEntries))
      const isYoung = network.now - this.#provenAt < leaseTicks / 2
      if (group.length === 0 || (isFenced && !isYoung)) {
        yield
        continue
      }
      const expected = isFenced ? (this.last?.sequence ?? 0) : undefined
      const answer =
        expected !== undefined && this.place.faults.fastBatches
          ? yield* this.#publishParts(group, expected)
          : yield* this.#ask('triggers', () => broker.publish(group, expected, network.now))
      if (answer === silence) continue
      if (answer === 'refused') this.last = yield* this.#untilAnswered('nats', () => broker.last())
      else this.last = { sequence: answer, publishedAt: network.now, trigger: group.at(-1)! }
    }
  }

  #publishParts(group: readonly Trigger[], expected: number): Task<number | 'refused' | typeof silence> {
    const { broker, network } = this.place
    const batch = `${this.#token}-${++this.#publishes}`
    const parts = group.map((trigger, i) => () => {
      const part = { batch, number: i + 1, isLast: i === group.length - 1, trigger }
      const reply = broker.publishPart(part, expected, network.now)
      return reply === undefined ? undefined : { reply }
    })
    return network.askInParts('triggers', true, parts)
  }

  /** Everything at or below it is out. */
  get #floor(): number {
    return this.last?.trigger.at ?? -1
  }

  #dropPublished(): void {
    const left = this.#outbox.findIndex(({ at }) => at > this.#floor)
    const published = left === -1 ? this.#outbox.length : left
    this.#outbox.splice(0, published)
    this.#trimmable += published
  }

  *#keepLease(): Task<void> {
    const { store, network } = this.place
    for (;;) {
      const askedAt = network.now
      if (this.#isCommitting || askedAt - this.#provenAt < leaseTicks / 3) {
        yield
        continue
      }
      this.#isRenewing = true
      const outcome = yield* this.#ask('redis', () => store.renew(this.#token, this.#commitId))
      this.#isRenewing = false
      if (outcome !== silence) this.#proves(outcome, askedAt)
    }
  }

  #proves(outcome: Outcome, askedAt: number): boolean {
    if (outcome === 'ok') this.#provenAt = askedAt
    else this.#end ??= outcome
    return outcome === 'ok'
  }

  #ask<Reply>(link: Link, request: () => Reply): Task<Reply | typeof silence> {
    const isBounded = link !== 'redis' || !this.place.without.has('strict_redis')
    return this.place.network.ask(link, isBounded, request)
  }

  *#untilAnswered<Reply>(link: Link, request: () => Reply): Task<Reply> {
    for (;;) {
      const reply = yield* this.#ask(link, request)
      if (reply !== silence) return reply
    }
  }
}

/** A commit that broke off and was sent again leaves entries twice: only what rises is new. */
function rising(triggers: readonly Trigger[]): readonly Trigger[] {
  const group: Trigger[] = []
  for (const trigger of triggers) if (trigger.at > (group.at(-1)?.at ?? -1)) group.push(trigger)
  return group
}
