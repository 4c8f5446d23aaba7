/** A definition whose profiles do not know which events they have seen, to show what that protects from. */
import type { Pipeline } from '../../../engine/pipeline.js'

export function withoutLastSeq(pipeline: Pipeline): Pipeline {
  const { profile } = pipeline
  const model: typeof profile.model = () => {
    const made = profile.model()
    const decode = made.decode.bind(made)
    made.decode = (key, bytes) => Object.assign(decode(key, bytes), { loadedSeq: 0 })
    return made
  }
  return { ...pipeline, profile: { ...profile, problems: profile.problems, fingerprint: profile.fingerprint, model } }
}
