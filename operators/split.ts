import { defineOperator, drop, fn, loneSurrogate, maxKeyLength, reject, whole } from '../engine/index.js'
import { typeFilter, typesOption } from './event-types.js'
import { type UserEvent, asUserEvent, verifySynchronous } from './user-function.js'

/** One child of a split. What is left out is the parent's; a child's id is the parent's with `/<index>` after it. */
export interface Part {
  readonly value: unknown
  readonly key?: string
  readonly type?: string
}

/** Turns one event into several. */
export const split = defineOperator({
  name: 'split',
  summary: 'Turn an event into one event for each part that a function of the definition returns.',
  options: {
    into: fn<(event: UserEvent) => readonly Part[]>()({
      doc: 'The parts, `{ value, key?, type? }`. Must depend on the event alone. A key of its own must belong to the same partition.',
    }),
    maxParts: whole({ doc: 'Most parts of one event.', fallback: 1000, min: 1 }),
    ...typesOption,
  },
  drops: ['empty'],
  rejects: ['too_many', 'key_missing'],
  cost: 'What the function costs, and every later stage once per part. Parts share the position of their event.',
  verify: ({ into }, problems) => verifySynchronous('into', into, problems),
  create: ({ into, maxParts, types }) => {
    const applies = typeFilter(types)
    return {
      process: event => {
        if (!applies(event.type)) return event
        const parts = into(asUserEvent(event))
        if (parts.length === 0) return drop('empty')
        if (parts.length > maxParts) return reject('too_many', `${parts.length} parts, more than ${maxParts}`)
        const unusable = parts.findIndex(({ key = '' }) => key.length > maxKeyLength || loneSurrogate.test(key))
        if (unusable >= 0) {
          const rule = `must have at most ${maxKeyLength} characters and no lone surrogate`
          return reject('key_missing', `the key of part ${unusable} ${rule}`)
        }
        return parts.map(({ value, key = event.key, type = event.type }, index) =>
          // With one id for all, a later dedupe would let only the first part pass.
          event.with({ value, key, type, id: event.id === undefined ? undefined : `${event.id}/${index}` }),
        )
      },
    }
  },
})
