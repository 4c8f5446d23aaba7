/** First edition of the fault suite's definition. */
import { addRules, chaosPipeline, maxBytes, profile, traits } from './definition.js'

const visitor = profile('visitor', { maxBytes, traits })
addRules(visitor)

export default chaosPipeline(visitor)
