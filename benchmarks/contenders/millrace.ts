/** Millrace as it runs in production: `millrace run` with the workload's pipeline and the default configuration. */
import { Redis } from 'ioredis'
import { loadPipeline } from '../../engine/load-pipeline.js'
import { RedisKeys } from '../../profiles/redis-keys.js'
import { writeEngineFile } from '../harness/engine-config.js'
import { EngineProcess } from '../harness/engine-process.js'
import { addTotals, type Totals } from '../workloads/workload.js'
import type { Contender, Entrant, Site } from './contender.js'

const readAtOnce = 1_000

export interface MillraceOptions {
  /** Folder: each run leaves a processor profile there. */
  readonly cpuProf?: string | undefined
  /** Path of another Node than this one. */
  readonly node?: string | undefined
}

export function millraceWith({ cpuProf, node }: MillraceOptions = {}): Contender {
  return {
    name: 'millrace',
    label: 'Millrace',
    guarantee: 'Exactly once: profile, dedupe table, timers and outbox move in one commit; triggers are fenced.',
    lacks: [],
    start: async site => {
      const { natsUrl, redisUrl, folder, workload } = site
      const file = await writeEngineFile({ natsUrl, redisUrl, folder, pipelineFile: workload.pipelineFile })
      return new MillraceEntrant(EngineProcess.spawn(file, cpuProf, node))
    },
    totals: readTotals,
  }
}

/** With nothing changed. */
export const millrace = millraceWith()

class MillraceEntrant implements Entrant {
  #done = 0

  constructor(private readonly engine: EngineProcess) {}

  get pids(): readonly number[] {
    return [this.engine.pid]
  }

  /** An effect that is not acknowledged yet holds back at most one event. */
  async done(): Promise<number> {
    const { events, committedEffects, publishedEffects } = await this.engine.progress()
    this.#done = Math.max(this.#done, events - (committedEffects - publishedEffects))
    return this.#done
  }

  check(): void {
    this.engine.check()
  }

  stop(): Promise<void> {
    return this.engine.stop()
  }
}

/** Every stored profile, read and decoded with the pipeline's own model. */
async function readTotals({ redisUrl, workload }: Site): Promise<Totals> {
  const { pipeline } = await loadPipeline(workload.pipelineFile)
  const model = pipeline.profile.model()
  const redis = new Redis(redisUrl)
  try {
    let totals: Totals = {}
    const names = await scanAll(redis, new RedisKeys(pipeline.name).pattern.replace(/\*$/, 'p:*'))
    for (let from = 0; from < names.length; from += readAtOnce) {
      const some = names.slice(from, from + readAtOnce)
      for (const [at, bytes] of (await redis.mgetBuffer(some)).entries()) {
        const state = model.decode(some[at]!, bytes!)
        totals = addTotals(totals, workload.totalsOf!(model.view(state, Date.now()).traits))
      }
    }
    return totals
  } finally {
    redis.disconnect()
  }
}

/** Each key once; a scan may show one twice. */
async function scanAll(redis: Redis, match: string): Promise<string[]> {
  const names = new Set<string>()
  for await (const some of redis.scanStream({ match, count: readAtOnce }) as AsyncIterable<string[]>) {
    for (const name of some) names.add(name)
  }
  return [...names]
}
