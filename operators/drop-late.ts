import { defineOperator, drop, duration } from '../engine/index.js'

/** Drops an event that happened more than `maxAge` before it reached the stream. */
export const dropLate = defineOperator({
  name: 'drop_late',
  summary: 'Drop events older than maxAge.',
  options: {
    maxAge: duration({ doc: 'Oldest age that still passes.', fallback: '1h' }),
  },
  drops: ['late'],
  cost: 'One subtraction.',
  create: ({ maxAge: maxAgeMs }) => ({
    // Age is taken at the broker, not now, so a replay decides the same.
    process: event => (event.receivedAt - event.occurredAt > maxAgeMs ? drop('late') : event),
  }),
})
