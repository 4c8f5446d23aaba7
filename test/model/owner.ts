/** A replica: waits until the partition is free, acquires it, checks everything, and runs a session until that ends. */
import type { DefinitionNote, Published } from './broker.js'
import { positionOf, type Definition } from './definition.js'
import { silence, type Link, type Task } from './network.js'
import { leaseTicks, type HaltReason, type Place, type PlaceState } from './place.js'
import { Session, type End } from './session.js'

const lookTicks = 4
const recheckTicks = 12
const restTicks = 10

type Ending = End | { readonly halt: HaltReason }

export class Owner {
  /** Nothing is done before this tick: paused, or not started again. */
  awayUntil = 0
  halted: HaltReason | undefined
  definition: Definition
  session: Session | undefined
  #life: Task<void>
  #claims = 0

  constructor(
    private readonly place: Place,
    readonly name: string,
  ) {
    this.definition = place.deployed
    this.#life = this.#live()
  }

  step(): void {
    if (this.place.network.now >= this.awayUntil) this.#life.next()
  }

  /** What was sent stays on its way; everything else is forgotten. */
  crash(restTicks: number): void {
    this.awayUntil = this.place.network.now + restTicks
    this.definition = this.place.deployed
    this.halted = undefined
    this.session = undefined
    this.#life = this.#live()
  }

  *#live(): Task<void> {
    let expected = yield* this.#standBy()
    for (;;) {
      const found = yield* this.#acquire(expected)
      const ending = found === undefined ? 'fenced' : yield* this.#own(found)
      this.session = undefined
      this.halted = typeof ending === 'object' ? ending.halt : undefined
      if (found !== undefined && (ending === 'conflict' || ending === 'doubt' || typeof ending === 'object')) {
        // Still its own: a claim that fits the token it holds.
        expected = found.token
        if (typeof ending === 'object') yield* this.#wait(recheckTicks)
        continue
      }
      if (ending === 'released') yield* this.#wait(restTicks)
      expected = yield* this.#standBy()
    }
  }

  /** Until the partition is free or its owner has been silent for a lease; gives the token that was seen. */
  *#standBy(): Task<string> {
    const { network, store } = this.place
    let seen = ''
    let since = 0
    let lookedAt = -Infinity
    for (;;) {
      const state = yield* this.#ask('redis', () => store.state)
      if (state === silence) {
        // Nobody can renew what nobody can reach.
        seen = ''
        continue
      }
      if (state.token === '' || state.replica === this.name) return state.token
      const sign = `${state.token} ${state.renewals}`
      if (sign !== seen || network.now - lookedAt > leaseTicks / 2) since = network.now
      seen = sign
      lookedAt = network.now
      if (network.now - since >= leaseTicks) return state.token
      yield* this.#wait(lookTicks)
    }
  }

  *#acquire(expected: string): Task<PlaceState | undefined> {
    const claim = { replica: this.name, id: `${this.name}${++this.#claims}-${this.place.network.now}`, expected }
    return yield* this.#untilAnswered('redis', () => this.place.store.acquire(claim))
  }

  *#own(found: PlaceState): Task<Ending> {
    const { broker } = this.place
    const last = yield* this.#untilAnswered('nats', () => broker.last())
    const noted = yield* this.#untilAnswered('nats', () => broker.note())
    const halt = yield* this.#untilAnswered('nats', () => this.place.problemAt(found.position, found.fields.anchor))
    if (halt !== undefined) return { halt }
    if (this.#isRolledBack(found, last, noted)) return { halt: 'definition_rolled_back' }
    const session = new Session(this.place, found, last)
    if (found.fields.definition !== this.definition) {
      const end = yield* session.define(this.definition)
      if (end !== undefined) return end
    }
    const { change, definition, from } = session.fields
    if (noted.change !== change) {
      // Taken only on top of the note that was seen: another owner may have changed it since.
      const expected = this.place.without.has('note_order') ? undefined : noted
      const isTaken = yield* this.#untilAnswered('nats', () => broker.takeNote({ change, definition, from }, expected))
      if (!isTaken) return 'doubt'
    }
    this.halted = undefined
    this.session = session
    return yield* session.run()
  }

  /** Behind a change of definition, or to where another definition has decided what is published already. */
  #isRolledBack({ position, fields }: PlaceState, last: Published | undefined, noted: DefinitionNote): boolean {
    const { without } = this.place
    if (without.has('pinned_definition')) return false
    const isDecided = last !== undefined && positionOf(last.trigger) > position && !without.has('decided_before')
    return noted.change > fields.change || (isDecided && fields.definition !== this.definition)
  }

  *#wait(ticks: number): Task<void> {
    for (const until = this.place.network.now + ticks; this.place.network.now < until;) yield
  }

  #ask<Reply>(link: Link, request: () => Reply): Task<Reply | typeof silence> {
    return this.place.network.ask(link, true, request)
  }

  *#untilAnswered<Reply>(link: Link, request: () => Reply): Task<Reply> {
    for (;;) {
      const reply = yield* this.#ask(link, request)
      if (reply !== silence) return reply
    }
  }
}
