/**
 * A small HTTP port for GET and HEAD: no bodies, bounded connections, and every failure is an answer. What it serves is given as
 * routes.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { MillraceError } from '../errors.js'
import type { Log } from '../log.js'

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** What answers a path, as it was sent, without query; `undefined`: there is nothing. */
export type Routes = (path: string, headers: IncomingHttpHeaders) => (() => Promise<Reply>) | undefined

export interface AdminPort {
  readonly host: string
  readonly port: number
  /** Requests under way are answered, then the port is closed. */
  close(): Promise<void>
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

/**
 * Listens; rejects with `config_invalid` when the port is taken. A `MillraceError` of the action `retry` is answered with 503,
 * others with 500.
 */
export async function serve(routes: Routes, log: Log, at: { host: string; port: number }): Promise<AdminPort> {
  const server = createServer(limits, (request, response) => {
    void answer(routes, log, request).then(reply => send(reply, request, response, server.listening))
  })
  server.maxConnections = maxConnections
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => reject(listenError(error, at))
    server.once('error', fail)
    server.listen(at.port, at.host, () => {
      server.off('error', fail)
      resolve()
    })
  })
  const { address, port } = server.address() as AddressInfo
  return { host: address, port, close: () => close(server) }
}

/** Why nobody can listen there, in words of the configuration. */
export function listenError(error: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): Error {
  if (error.code !== 'EADDRINUSE') return error
  const text = `admin.port must be free at "${host}", got ${port}: another process listens there`
  return new MillraceError('config_invalid', text, { cause: error })
}

/** A body of JSON. */
export function json(status: number, body: unknown): Reply {
  const headers = { 'content-type': 'application/json; charset=utf-8' }
  return { status, headers, body: `${JSON.stringify(body)}\n` }
}

export function started(hasStarted: boolean): Reply {
  return json(hasStarted ? 200 : 503, { started: hasStarted })
}

/** The event loop turns; nobody else is asked. */
export async function live(): Promise<Reply> {
  return { status: 200, headers: { 'content-type': 'text/plain' }, body: 'ok\n' }
}

function close(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })
}

/** Never rejects: whatever goes wrong is an answer too. */
async function answer(routes: Routes, log: Log, request: IncomingMessage): Promise<Reply> {
  try {
    const path = (request.url ?? '/').replace(/[?#].*/, '')
    const handler = routes(path, request.headers)
    if (handler === undefined) return json(404, { error: 'not_found' })
    if (request.method === 'GET' || request.method === 'HEAD') return await handler()
    return withHeader(json(405, { error: 'method_not_allowed' }), 'allow', 'GET, HEAD')
  } catch (error) {
    return failed(log, error)
  }
}

function failed(log: Log, error: unknown): Reply {
  const isUnavailable = error instanceof MillraceError && error.action === 'retry'
  if (isUnavailable) return withHeader(json(503, { error: error.code }), 'retry-after', '1')
  log.error({ error }, 'an admin request failed')
  // What it was stands in the log; a message might quote the profile.
  return json(500, { error: error instanceof MillraceError ? error.code : 'internal' })
}

/** The same reply with one header more. */
export function withHeader(reply: Reply, name: string, value: string): Reply {
  return { ...reply, headers: { ...reply.headers, [name]: value } }
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
