import { defineOperator, drop, fn } from '../engine/index.js'
import { typeFilter, typesOption } from './event-types.js'
import { type UserEvent, asUserEvent, verifySynchronous } from './user-function.js'

/** Keeps the events for which `keep` is true. */
export const filter = defineOperator({
  name: 'filter',
  summary: 'Keep the events for which a function of the definition is true.',
  options: {
    keep: fn<(event: UserEvent) => boolean>()({ doc: 'True for events that go on. Must depend on the event alone.' }),
    ...typesOption,
  },
  drops: ['filtered'],
  cost: 'What the function costs.',
  verify: ({ keep }, problems) => verifySynchronous('keep', keep, problems),
  create: ({ keep, types }) => {
    const applies = typeFilter(types)
    return {
      process: event => (!applies(event.type) || keep(asUserEvent(event)) ? event : drop('filtered')),
    }
  },
})
