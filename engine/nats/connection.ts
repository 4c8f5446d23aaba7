/** Opens connections to NATS with the settings that a server process needs, and names what went wrong. */
import { readFileSync } from 'node:fs'
import {
  connect,
  credsAuthenticator,
  ErrorCode,
  Events,
  NatsError,
  type Authenticator,
  type ConnectionOptions,
  type NatsConnection,
} from 'nats'
import { readSetFile } from '../config/set-file.js'
import { MillraceError, messageOf } from '../errors.js'

export type { NatsConnection }

export interface NatsSettings {
  readonly servers: readonly string[]
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly token?: string | undefined
  /** File with a user's JWT and seed. */
  readonly credentials?: string | undefined
  readonly tls?:
    | { readonly ca?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined }
    | undefined
}

/** Throws `config_invalid`, `nats_unavailable`, `authentication_failed` or `permission_denied`. */
export async function connectNats(settings: NatsSettings, name: string): Promise<NatsConnection> {
  try {
    return await connect(connectionOptions(settings, name))
  } catch (error) {
    throw natsError(error, `cannot connect to NATS at ${settings.servers.join(', ')}`)
  }
}

function connectionOptions(settings: NatsSettings, name: string): ConnectionOptions {
  const { servers, user, password, token, credentials, tls } = settings
  // The client reads them itself, and says of one that it cannot read neither its setting nor why.
  for (const [name, file] of Object.entries(tls ?? {})) if (file !== undefined) readSetFile(`nats.tls.${name}`, file)
  return {
    servers: [...servers],
    name,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { pass: password }),
    ...(token === undefined ? {} : { token }),
    ...(credentials === undefined ? {} : { authenticator: authenticatorOf(credentials) }),
    ...(tls?.ca === undefined && tls?.cert === undefined
      ? {}
      : {
          tls: {
            ...(tls.ca === undefined ? {} : { caFile: tls.ca }),
            ...(tls.cert === undefined || tls.key === undefined ? {} : { certFile: tls.cert, keyFile: tls.key }),
          },
        }),
    // The default gives up for good after ten attempts, about twenty seconds.
    maxReconnectAttempts: -1,
    // The default gives up for good when a server refuses the credentials twice, as one does while they are being changed.
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    // The default notices a dead link after four minutes. This does after six seconds, about when a cluster that lost a node
    // has elected another leader.
    pingInterval: 2_000,
    maxPingOut: 2,
    timeout: 5_000,
    noAsyncTraces: true,
  }
}

/**
 * Read again for every connection, because mounted credentials are renewed. While they cannot be read, or are half written, the last
 * ones stay: the client gives a connection up for good when this throws.
 */
function authenticatorOf(file: string): Authenticator {
  let last = credsAuthenticator(readSetFile('nats.credentials', file))
  return nonce => {
    try {
      const authenticator = credsAuthenticator(readFileSync(file))
      const answer = authenticator(nonce)
      last = authenticator
      return answer
    } catch {
      return last(nonce)
    }
  }
}

export interface ConnectionObserver {
  readonly lost: () => void
  readonly back: () => void
  /** The user may not do this: `publish` or `subscription`. The server says it without saying to which request it belongs. */
  readonly refused?: (operation: string, subject: string) => void
}

/** Tells when the link is lost, when it is back, and what the server does not allow, until the connection is closed. */
export async function followConnection(connection: NatsConnection, told: ConnectionObserver): Promise<void> {
  for await (const { type, permissionContext } of connection.status()) {
    if (type === Events.Disconnect) told.lost()
    else if (type === Events.Reconnect) told.back()
    else if (permissionContext !== undefined) told.refused?.(permissionContext.operation, permissionContext.subject)
  }
}

/** The code a NATS failure stands for, with the server's or the client's text kept. */
export function natsError(error: unknown, doing: string): MillraceError {
  if (error instanceof MillraceError) return error
  // Of some answers the client's own text is only a number.
  const said = error instanceof NatsError ? error.api_error?.description : undefined
  const text = `${doing}: ${said ?? messageOf(error)}`
  if (error instanceof NatsError) {
    if (
      error.code === ErrorCode.AuthorizationViolation ||
      error.code === ErrorCode.AuthenticationExpired ||
      error.code === ErrorCode.AuthenticationTimeout ||
      error.code === ErrorCode.AccountExpired
    ) {
      return new MillraceError('authentication_failed', text, { cause: error })
    }
    if (error.code === ErrorCode.PermissionsViolation)
      return new MillraceError('permission_denied', text, { cause: error })
    if (error.code === ErrorCode.JetStreamNotEnabled && !isPassing(error))
      return new MillraceError('jetstream_missing', text, { cause: error })
  }
  return new MillraceError('nats_unavailable', text, { cause: error })
}

/**
 * The client gives every 503 one code. JetStream that is not there does not answer, or says so for the server (10076) or the account
 * (10039); whatever else it answers passes, as in a cluster that has no leader yet.
 */
function isPassing({ api_error }: NatsError): boolean {
  return api_error !== undefined && api_error.err_code !== 10076 && api_error.err_code !== 10039
}

/** True for "no such stream", "no such message", "no such consumer". */
export function isNotFound(error: unknown): boolean {
  return error instanceof NatsError && error.api_error?.code === 404
}
