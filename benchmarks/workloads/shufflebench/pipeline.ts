/**
 * ShuffleBench: match each record against the consumers' rules, hand it to every consumer that wants it, update that consumer's
 * state, emit every tenth update. A consumer is a profile; its state is that of `AdvancedStateConsumer`: how many records, the
 * sum of a number in them, when the first and the last one came.
 *
 * Producers do not know which consumers want a record, so all records are in one partition.
 */
import { defineOperator, events, pipeline, split, type Event } from 'millrace'
import { Matcher } from './matcher.js'
import { numberOf, pointOf, timeOf } from './record.js'
import { makeRules } from './rules.js'

interface Records {
  record: { number: number }
}

// Set by the test alone, which needs to see consumers emit within a few records.
const matcher = new Matcher(makeRules(Number(process.env['SHUFFLEBENCH_CONSUMERS'] ?? 1_000_000)))

/** Where the bytes are not Avro and not JSON, a decoder is an operator of one's own. */
const readRecord = defineOperator({
  name: 'read_record',
  summary: 'Take the bytes of a record as they are.',
  options: {},
  cost: 'Nothing is copied.',
  create: () => ({ process: event => event.with({ value: event.bytes, occurredAt: timeOf(event.bytes) }) }),
})

const { profile, count, first, last, sum } = events<Records>()

const consumer = profile('consumer', {
  traits: {
    updates: count('record'),
    total: sum('record', e => e.number),
    firstAt: first('record', (_, event) => event.occurredAt),
    lastAt: last('record', (_, event) => event.occurredAt),
  },
})

consumer.trigger('tenth_update', {
  on: 'record',
  when: p => p.updates % 10 === 0,
  every: true,
  emit: ({ updates, total }) => ({ updates, total }),
})

export default pipeline({
  name: 'shufflebench',
  partitions: 1,
  stages: [
    readRecord(),
    split({
      into: ({ value }: Event<Buffer>) =>
        Array.from(matcher.match(pointOf(value)), consumer => ({
          key: `consumer_${consumer}`,
          value: { number: numberOf(value) },
        })),
    }),
  ],
  profile: consumer,
})
