/**
 * The port for probes, metrics and reading a profile:
 *
 *   GET /livez              200 while the event loop turns; asks neither NATS nor Redis, whose outage no restart repairs
 *   GET /readyz             200 or 503, and why: connections, partitions, halts
 *   GET /metrics            for Prometheus
 *   GET /v1/profiles/{key}  values with their age; ETag; 503 when the store does not answer and nothing older is at hand
 *
 * Profiles are personal data and the port asks nobody who they are: it listens on the loopback address unless told otherwise.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { profileResponse, type FoundProfile } from './admin-profile.js'
import type { Clock } from './clock.js'
import { MillraceError } from './errors.js'
import type { Log } from './log.js'
import type { PartitionState } from './partition.js'

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

export interface AdminPort {
  readonly host: string
  readonly port: number
  /** Requests under way are answered, then the port is closed. */
  close(): Promise<void>
}

interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Probes and scrapes arrive within milliseconds; whoever sends slower than this is holding a connection, not asking. */
const limits = {
  requestTimeout: 10_000,
  headersTimeout: 10_000,
  connectionsCheckingInterval: 5_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 8192,
}
const maxConnections = 256
const maxKeyLength = 1024

/** Listens; rejects when the address is taken. */
export async function openAdminPort(sources: AdminSources, at: { host: string; port: number }): Promise<AdminPort> {
  const server = createServer(limits, (request, response) => {
    void answer(sources, request).then(reply => send(reply, request, response, server.listening))
  })
  server.maxConnections = maxConnections
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(at.port, at.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const { address, port } = server.address() as AddressInfo
  return { host: address, port, close: () => close(server) }
}

function close(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })
}

/** Never rejects: whatever goes wrong is an answer too. */
async function answer(sources: AdminSources, request: IncomingMessage): Promise<Reply> {
  try {
    return await route(sources, request)
  } catch (error) {
    return failed(sources.log, error)
  }
}

function send(reply: Reply, request: IncomingMessage, response: ServerResponse, isOpen: boolean): void {
  const { status, headers = {}, body = '' } = reply
  // No request here has a body: whoever sends one is cut off behind the answer, unread.
  const hasBody = 'transfer-encoding' in request.headers || Number(request.headers['content-length'] ?? 0) > 0
  response.writeHead(status, {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 304 ? {} : { 'content-length': Buffer.byteLength(body) }),
    ...(isOpen && !hasBody ? {} : { connection: 'close' }),
    ...headers,
  })
  response.end(request.method === 'HEAD' || status === 304 ? undefined : body)
}

async function route(sources: AdminSources, request: IncomingMessage): Promise<Reply> {
  const path = (request.url ?? '/').replace(/[?#].*/, '')
  const handler = handlerOf(sources, path, request)
  if (handler === undefined) return json(404, { error: 'not_found' })
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { ...json(405, { error: 'method_not_allowed' }), headers: { ...jsonType, allow: 'GET, HEAD' } }
  }
  return handler()
}

function handlerOf(sources: AdminSources, path: string, request: IncomingMessage): (() => Promise<Reply>) | undefined {
  if (path === '/livez') return async () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: 'ok\n' })
  if (path === '/readyz') return async () => ready(sources.readiness())
  if (path === '/metrics') return () => metrics(sources)
  const profile = /^\/v1\/profiles\/([^/]+)$/.exec(path)
  return profile === null ? undefined : () => findProfile(sources, profile[1]!, request.headers['if-none-match'])
}

function ready(readiness: Readiness): Reply {
  const { isReady, replica, nats, redis, partitions } = readiness
  const halts = partitions.filter(({ state }) => state === 'halted')
  return json(isReady ? 200 : 503, { ready: isReady, replica, nats, redis, halts, partitions })
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
  return { ...json(200, body), headers: { ...jsonType, etag } }
}

function decoded(token: string): string | undefined {
  try {
    return decodeURIComponent(token)
  } catch {
    // Not percent-encoded UTF-8: no key can be meant.
    return undefined
  }
}

function failed(log: Log, error: unknown): Reply {
  const isUnavailable = error instanceof MillraceError && error.action === 'retry'
  if (isUnavailable) return { ...json(503, { error: error.code }), headers: { ...jsonType, 'retry-after': '1' } }
  log.error({ error }, 'an admin request failed')
  // What it was stands in the log; a message might quote the profile.
  return json(500, { error: error instanceof MillraceError ? error.code : 'internal' })
}

const jsonType = { 'content-type': 'application/json; charset=utf-8' }

function json(status: number, body: unknown): Reply {
  return { status, headers: jsonType, body: `${JSON.stringify(body)}\n` }
}
