/** Second edition: one trait and one trigger more, both decided by events alone, so that it is the position that decides. */
import { addRules, chaosPipeline, max, maxBytes, profile, traits } from './definition.js'

const visitor = profile('visitor', { maxBytes, traits: { ...traits, dearest: max('visit', e => e.amount) } })
addRules(visitor)
visitor.trigger('bought', { on: 'buy', emit: (p, e) => ({ id: e.id, dearest: p.dearest ?? null }) })

export default chaosPipeline(visitor)
