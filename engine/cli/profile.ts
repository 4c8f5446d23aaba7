/** `millrace profile get <key>`: one profile as the admin port shows it. */
import { profileResponse } from '../admin/profile.js'
import { isGone } from '../model.js'
import { partitionOf } from '../nats/partitioning.js'
import { learnLayouts } from '../partition/profile-loading.js'
import type { ExitCode, Services } from './services.js'
import { withWorkspace, type WorkspaceOptions } from './workspace.js'

/** 1 when there is no such profile. */
export function profileGet(key: string, options: WorkspaceOptions, services: Services): Promise<ExitCode> {
  return withWorkspace(options, services, async workspace => {
    const { pipeline } = workspace
    const { store } = await workspace.store()
    const model = pipeline.profile.model()
    await learnLayouts(store, model)
    const partition = partitionOf(key, pipeline.partitions)
    const [bytes] = await store.load(partition, [key])
    const now = Math.floor(services.clock.wallMs())
    const view = bytes && model.view(model.decode(key, bytes), now)
    if (view === undefined || isGone(view)) {
      services.io.stderr.write(`no profile "${key}" in partition ${partition}\n`)
      return 1
    }
    const { body } = profileResponse({ view, isStale: false }, now)
    services.io.stdout.write(`${JSON.stringify(body, null, 2)}\n`)
    return 0
  })
}
