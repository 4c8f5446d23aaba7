/** What Millrace does of the personalization workload and its peers do not. */

/** What no peer of this workload does, whoever wrote it. */
export const peersLack: readonly string[] = [
  'cart_abandoned: there are no timers',
  'views within an hour of event time: a plain counter stands for it',
  'the three top categories in browse_intent: they are counted, not ranked; its cooldown runs on the wall clock',
  'dead letters: invalid events are dropped',
  'segment changes: people are put into sets, and nobody is told',
]
