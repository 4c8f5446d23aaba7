/**
 * Judges a schedule that has come to rest: what the partition holds and has published against what its events demand, worked
 * out in one pass by somebody who knows everything.
 */
import type { DefinitionNote } from './broker.js'
import {
  emptyProfile,
  fold,
  positionOf,
  type Definition,
  type Profile,
  type StreamEvent,
  type Trigger,
} from './definition.js'
import type { HaltReason } from './place.js'
import type { World } from './world.js'

export type Invariant =
  | 'profile'
  | 'trigger_missing'
  | 'trigger_twice'
  | 'trigger_order'
  | 'trigger_unexpected'
  | 'not_halted'
  | 'halted_wrongly'
  | 'stuck'

export interface Violation {
  readonly invariant: Invariant
  readonly detail: string
}

type Trail = readonly { readonly event: StreamEvent; readonly definition: Definition }[]

/** Empty when the promise was kept. */
export function judge(world: World): readonly Violation[] {
  const violations: Violation[] = []
  const blame = (invariant: Invariant, detail: string) => violations.push({ invariant, detail })
  const { broker, store } = world.place
  const { position, fields, profiles, outbox } = store.state
  const halted = world.owners.map(owner => owner.halted).find(reason => reason !== undefined)
  const demanded = demandedHalts(world)

  if (halted === undefined && demanded.length > 0) blame('not_halted', `${demanded.join(' or ')} at ${position}`)
  else if (halted !== undefined && !demanded.includes(halted)) blame('halted_wrongly', `${halted} at ${position}`)
  else if (halted === undefined && (!world.isSettled || position !== broker.events.length)) {
    blame('stuck', `at ${position} of ${broker.events.length}`)
  }

  // A halted partition stands for what it has folded, any other for the whole stream up to its position.
  const isHalted = halted !== undefined
  const trail: Trail = isHalted ? fields.trail : trailOf(broker.events.slice(0, position), broker.notes)
  const expected = compute(trail)
  for (const key of new Set([...expected.profiles.keys(), ...profiles.keys()])) {
    const [should, is] = [expected.profiles.get(key)?.value ?? 0, profiles.get(key)?.value ?? 0]
    if (should !== is) blame('profile', `${key} is ${is} instead of ${should}`)
  }

  const published = broker.published.map(({ trigger }) => trigger)
  const seen = new Set<string>()
  for (const [i, { at, body }] of published.entries()) {
    if (seen.has(`${at} ${body}`)) blame('trigger_twice', body)
    else if (i > 0 && at <= published[i - 1]!.at) blame('trigger_order', body)
    seen.add(`${at} ${body}`)
  }
  // Behind a change of definition that Redis has forgotten, both definitions have triggered.
  if (halted === 'definition_rolled_back') return violations
  // A halted partition publishes no more; what it had decided must wait in its outbox.
  const known = isHalted ? new Set([...seen, ...outbox.map(({ at, body }) => `${at} ${body}`)]) : seen
  const due = new Set(expected.triggers.map(({ at, body }) => `${at} ${body}`))
  for (const trigger of due) if (!known.has(trigger)) blame('trigger_missing', trigger)
  for (const trigger of seen) if (!due.has(trigger)) blame('trigger_unexpected', trigger)
  return violations
}

/** Reasons of which the partition must give one. */
function demandedHalts({ place: { broker, store, deployed } }: World): readonly HaltReason[] {
  const { position, fields } = store.state
  const reasons: HaltReason[] = []
  if (fields.trail.some(({ event }) => broker.events[event.seq - 1] !== event)) {
    reasons.push(broker.events.length < position ? 'stream_truncated' : 'anchor_mismatch')
  }
  const last = broker.last()
  const isDecided = last !== undefined && positionOf(last.trigger) > position
  if (broker.note().change > fields.change || (isDecided && fields.definition !== deployed)) {
    reasons.push('definition_rolled_back')
  }
  return reasons
}

function trailOf(events: readonly StreamEvent[], notes: readonly DefinitionNote[]): Trail {
  return events.map(event => ({ event, definition: notes.findLast(({ from }) => from < event.seq)!.definition }))
}

function compute(trail: Trail): {
  readonly profiles: ReadonlyMap<string, Profile>
  readonly triggers: readonly Trigger[]
} {
  const profiles = new Map<string, Profile>()
  const triggers: Trigger[] = []
  for (const { event, definition } of trail) {
    const after = fold(profiles.get(event.key) ?? emptyProfile, event, definition)
    profiles.set(event.key, after.profile)
    triggers.push(...after.triggers)
  }
  return { profiles, triggers }
}
