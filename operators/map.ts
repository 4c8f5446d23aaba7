import { defineOperator, fn } from '../engine/index.js'
import { typeFilter, typesOption } from './event-types.js'
import { type UserEvent, asUserEvent, verifySynchronous } from './user-function.js'

/** Gives the event another value. */
export const map = defineOperator({
  name: 'map',
  summary: 'Replace the value by what a function of the definition returns.',
  options: {
    to: fn<(event: UserEvent) => unknown>()({
      doc: 'The new value, made without editing the old one. Must depend on the event alone.',
    }),
    ...typesOption,
  },
  cost: 'What the function costs.',
  verify: ({ to }, problems) => verifySynchronous('to', to, problems),
  create: ({ to, types }) => {
    const applies = typeFilter(types)
    return {
      process: event => {
        if (!applies(event.type)) return event
        const value = to(asUserEvent(event))
        // A forgotten `return` would otherwise surface stages later, in a trait.
        if (value === undefined) throw new TypeError('the function of map must return a value, got undefined')
        return event.with({ value })
      },
    }
  },
})
