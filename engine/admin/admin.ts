/**
 * The port for probes, metrics and reading a profile:
 *
 *   GET /livez              200 while the event loop turns; asks neither NATS nor Redis, whose outage no restart repairs
 *   GET /startedz           200 once the engine has reached both servers, found all it needs and takes part
 *   GET /readyz             200 or 503, and why: connections, partitions, halts
 *   GET /metrics            for Prometheus
 *   GET /v1/profiles/{key}  values with their age; ETag; 503 when the store does not answer and nothing older is at hand
 *
 * Profiles are personal data and the port asks nobody who they are: it listens on the loopback address unless told otherwise.
 */
import type { Clock } from '../clock.js'
import { maxKeyLength } from '../event.js'
import type { Log } from '../log.js'
import type { Fence } from '../nats/fence.js'
import type { PartitionState } from '../partition/partition.js'
import { profileResponse, type FoundProfile } from './profile.js'
import { json, live, serve, started, withHeader, type AdminPort, type Reply, type Routes } from './server.js'

export interface PartitionReadiness {
  readonly partition: number
  readonly state: PartitionState
  /** Replica that owns it; empty when nobody does or nobody knows yet. */
  readonly owner?: string
  /** Code of the halt. */
  readonly reason?: string | undefined
}

export interface Readiness {
  /** Name of this replica; absent before it has one. */
  readonly replica?: string | undefined
  /** Every partition runs, here or at another replica. */
  readonly isReady: boolean
  /** What NATS checks about a publish; absent before that is known. */
  readonly publishFence?: Fence | undefined
  readonly nats: 'connected' | 'disconnected'
  readonly redis: 'connected' | 'disconnected'
  readonly partitions: readonly PartitionReadiness[]
}

/** What the port shows. */
export interface AdminSources {
  /** Known without asking anyone. */
  readiness(): Readiness
  readonly metrics: { readonly contentType: string; render(): Promise<string> }
  /**
   * `undefined`: no such profile. Rejects with a `MillraceError` of the action `retry` when it cannot be known now, and soon:
   * the port does not measure time for it.
   */
  profile(key: string): Promise<FoundProfile | undefined>
  readonly clock: Clock
  readonly log: Log
}

/** Listens; rejects with `config_invalid` when the port is taken. */
export function openAdminPort(sources: AdminSources, at: { host: string; port: number }): Promise<AdminPort> {
  const routes: Routes = (path, headers) => {
    if (path === '/livez') return live
    if (path === '/startedz') return async () => started(sources.readiness().replica !== undefined)
    if (path === '/readyz') return async () => ready(sources.readiness())
    if (path === '/metrics') return () => metrics(sources)
    const profile = /^\/v1\/profiles\/([^/]+)$/.exec(path)?.[1]
    return profile === undefined ? undefined : () => findProfile(sources, profile, headers['if-none-match'])
  }
  return serve(routes, sources.log, at)
}

function ready(readiness: Readiness): Reply {
  const { isReady, replica, publishFence, nats, redis, partitions } = readiness
  const halts = partitions.filter(({ state }) => state === 'halted')
  return json(isReady ? 200 : 503, { ready: isReady, replica, publishFence, nats, redis, halts, partitions })
}

async function metrics({ metrics }: AdminSources): Promise<Reply> {
  return { status: 200, headers: { 'content-type': metrics.contentType }, body: await metrics.render() }
}

async function findProfile(sources: AdminSources, token: string, ifNoneMatch: string | undefined): Promise<Reply> {
  const key = decoded(token)
  if (key === undefined || key.length > maxKeyLength) return json(400, { error: 'bad_key' })
  const found = await sources.profile(key)
  if (found === undefined) return json(404, { error: 'no_profile' })
  const { etag, body } = profileResponse(found, sources.clock.wallMs())
  const isKnown = ifNoneMatch?.split(',').some(tag => tag.trim() === etag || tag.trim() === '*')
  if (isKnown === true) return { status: 304, headers: { etag } }
  return withHeader(json(200, body), 'etag', etag)
}

function decoded(token: string): string | undefined {
  try {
    return decodeURIComponent(token)
  } catch {
    // Not percent-encoded UTF-8: no key can be meant.
    return undefined
  }
}
