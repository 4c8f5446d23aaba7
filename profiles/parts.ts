/** Builds what a model runs from a checked definition: places, conditions, triggers, and a route for each event type. */
import { ageBytes, headerBytes } from './codec.js'
import { Condition } from './condition.js'
import { Layout, type Slot } from './layout.js'
import { Route, type PlacedTrait } from './route.js'
import { Segment } from './segment.js'
import type { ProfileSpec, TraitPlace } from './spec.js'
import { TraitSet } from './trait-set.js'
import { within, type WindowedKind } from './traits/within.js'
import type { TriggerSpec } from './trigger-options.js'
import { AbsenceTrigger, waitGrowthBytes } from './triggers/absence-trigger.js'
import { EventTrigger } from './triggers/event-trigger.js'
import { Gate } from './triggers/gate.js'
import { StateTrigger } from './triggers/state-trigger.js'
import { Outlet, type Trigger } from './triggers/trigger.js'

export interface Parts {
  readonly layout: Layout
  readonly traits: readonly PlacedTrait[]
  readonly segments: readonly Segment[]
  readonly triggers: readonly Trigger[]
  readonly routes: ReadonlyMap<string, Route>
  /** Most bytes that one moment of time can add to a stored form. */
  readonly momentGrowthBytes: number
}

/** A firing keeps its time, and may be the first thing that the profile keeps about the trigger. */
const firingBytes = 20
const segmentBytes = 9

export function buildParts(spec: ProfileSpec): Parts {
  const traits = spec.traits.map(placeTrait)
  const segments = spec.segments.map(({ name, test }, index) => {
    return new Segment(name, traits.length + index, new Condition(test, traits.length))
  })
  const firstTrigger = traits.length + segments.length
  const triggers = spec.triggers.map((trigger, index) => buildTrigger(trigger, firstTrigger + index, traits.length))
  const momentGrowthBytes =
    headerBytes + ageBytes * traits.length + segmentBytes * segments.length + firingBytes * triggers.length

  const types = new Set([
    ...traits.flatMap(trait => trait.types),
    ...spec.triggers.flatMap(trigger => [...(trigger.on ?? []), ...trigger.unless]),
  ])
  const routes = new Map<string, Route>()
  for (const type of types) {
    const concerned = traits.filter(trait => trait.types.includes(type))
    const listening = triggers.filter((_, index) => hears(spec.triggers[index]!, type))
    const starts = spec.triggers.filter(trigger => trigger.afterMs !== undefined && trigger.on!.includes(type))
    routes.set(
      type,
      new Route(
        concerned,
        new TraitSet(
          traits.length,
          concerned.map(trait => trait.index),
        ),
        listening,
        starts.filter(keepsValue).length,
        momentGrowthBytes + starts.length * waitGrowthBytes,
      ),
    )
  }
  return { layout: new Layout(slotsOf(spec, traits)), traits, segments, triggers, routes, momentGrowthBytes }
}

function placeTrait({ name, trait: { spec }, windowMs }: TraitPlace, index: number): PlacedTrait {
  const windowed: WindowedKind | undefined = windowMs === undefined ? undefined : within(spec.kind, windowMs)
  return {
    name,
    index,
    kind: windowed ?? spec.kind,
    types: spec.types,
    select: spec.select,
    where: spec.where,
    isPersonal: spec.isPersonal,
    isLate: windowed?.isLate,
  }
}

function buildTrigger(spec: TriggerSpec, slot: number, traitCount: number): Trigger {
  const outlet = new Outlet(spec.name, slot, new Gate(spec.cap, spec.cooldownMs), spec.emit)
  if (spec.on === undefined)
    return new StateTrigger(outlet, new Condition(spec.when as (p: never) => unknown, traitCount))
  if (spec.afterMs === undefined) return new EventTrigger(outlet, spec.when, spec.every)
  return new AbsenceTrigger(outlet, {
    on: new Set(spec.on),
    unless: new Set(spec.unless),
    afterMs: spec.afterMs,
    by: spec.by,
    when: spec.when,
    keepsValue: keepsValue(spec),
  })
}

/** One without `on` has to be asked at every event, because any may change its traits. */
function hears({ on, unless }: TriggerSpec, type: string): boolean {
  return on === undefined || on.includes(type) || unless.includes(type)
}

function keepsValue({ when, emit }: TriggerSpec): boolean {
  return when !== undefined || emit !== undefined
}

function slotsOf(spec: ProfileSpec, traits: readonly PlacedTrait[]): Slot[] {
  return [
    ...spec.traits.map(({ name, windowMs }, index) => ({
      name,
      kind: traits[index]!.kind.name,
      ...(windowMs === undefined ? {} : { window: windowMs }),
    })),
    ...spec.segments.map(({ name }) => ({ name, kind: 'segment' })),
    ...spec.triggers.map(trigger => ({ name: trigger.name, kind: triggerKind(trigger) })),
  ]
}

/** What a trigger keeps means something else in another kind, so a changed kind starts anew. */
function triggerKind({ on, afterMs }: TriggerSpec): string {
  if (on === undefined) return 'state_trigger'
  return afterMs === undefined ? 'event_trigger' : 'absence_trigger'
}
