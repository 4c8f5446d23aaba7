/** Drives one profile through a model, as the engine would, and writes down what comes out. */
import { Event, type Effects, type ProfileDefinition, type ProfileModel, type Reject } from '../../../engine/index.js'

/** `[when, what, ...detail]`, one for each effect, in order. */
export type Line = readonly unknown[]

export class Life implements Effects {
  readonly model: ProfileModel
  readonly lines: Line[] = []
  state: ReturnType<ProfileModel['create']>
  #seq = 0

  constructor(definition: ProfileDefinition) {
    this.model = definition.model()
    this.state = this.model.create('ada')
  }

  /** An event at the partition's time `now`, which happened at `occurredAt`. */
  event(now: number, type: string, value: unknown = {}, occurredAt = now): Reject | undefined {
    const seq = ++this.#seq
    return this.model.fold(this.state, eventOf(seq, type, value, now, occurredAt), now, this)
  }

  /** Time passes without events. */
  until(now: number): this {
    this.model.fire(this.state, now, this)
    return this
  }

  /** The profile leaves memory and comes back. */
  reload(): this {
    this.state = this.model.isEmpty(this.state)
      ? this.model.create('ada')
      : this.model.decode('ada', Buffer.from(this.model.encode(this.state)))
    return this
  }

  /** Effects since the last call. */
  take(): Line[] {
    return this.lines.splice(0)
  }

  traits(now: number): Readonly<Record<string, unknown>> {
    return this.model.view(this.state, now).traits
  }

  trigger(name: string, at: number, data: unknown): void {
    this.lines.push([at, name, data])
  }

  suppressed(name: string, reason: string, at: number): void {
    this.lines.push([at, name, 'suppressed', reason])
  }

  segment(name: string, change: 'entered' | 'exited', at: number): void {
    this.lines.push([at, name, change])
  }

  failed(segment: string): void {
    this.lines.push(['failed', segment])
  }

  late(trait: string): void {
    this.lines.push(['late', trait])
  }
}

export function eventOf(seq: number, type: string, value: unknown, now: number, occurredAt = now): Event {
  const origin = { subject: `events.0.test.${type}`, data: new Uint8Array() }
  return new Event(seq, 'test', type, now, origin, value, 'ada', undefined, occurredAt)
}
