/** `millrace deadletters list | show`: what could not be processed, and why. */
import { newestFirst, storedMessage, type StoredMessage } from '../nats/stored-messages.js'
import type { ExitCode, Services } from './services.js'
import { table } from './terminal.js'
import { withWorkspace, type WorkspaceOptions } from './workspace.js'

export interface ListOptions extends WorkspaceOptions {
  readonly stage?: string | undefined
  readonly reason?: string | undefined
  readonly limit: number
  readonly json: boolean
}

/** A list looks back at most this far for dead letters that match. */
const maxScanned = 10_000

export function deadLettersList(options: ListOptions, services: Services): Promise<ExitCode> {
  return withWorkspace<ExitCode>(options, services, async workspace => {
    const { streams } = await workspace.nats()
    const rows: Record<string, string | number>[] = []
    let scanned = 0
    for await (const message of newestFirst(streams, workspace.names.streams.deadletters, maxScanned)) {
      const row = rowOf(message)
      scanned++
      if (options.stage !== undefined && row.stage !== options.stage) continue
      if (options.reason !== undefined && row.reason !== options.reason) continue
      rows.push(row)
      if (rows.length === options.limit) break
    }
    const { stdout, stderr } = services.io
    if (options.json) for (const row of rows) stdout.write(`${JSON.stringify(row)}\n`)
    else if (rows.length > 0) {
      // Numbers as they are to be typed again.
      const cells = rows.map(row => Object.values(row).map(String))
      stdout.write(table(cells, Object.keys(rows[0]!)))
    } else if (scanned < maxScanned) stderr.write('no dead letters\n')
    else stderr.write(`none among the newest ${maxScanned} dead letters\n`)
    return 0
  })
}

/** Headers to standard error, the original bytes to standard output. */
export function deadLettersShow(seq: number, options: WorkspaceOptions, services: Services): Promise<ExitCode> {
  return withWorkspace<ExitCode>(options, services, async workspace => {
    const { streams } = await workspace.nats()
    const message = await storedMessage(streams, workspace.names.streams.deadletters, seq)
    const { stdout, stderr } = services.io
    if (message === undefined) {
      stderr.write(`no dead letter ${seq}\n`)
      return 1
    }
    for (const [name, values] of message.headers) for (const value of values) stderr.write(`${name}: ${value}\n`)
    stderr.write(`\n`)
    stdout.write(message.data)
    return 0
  })
}

function rowOf(message: StoredMessage) {
  return {
    number: message.seq,
    stored: message.storedAt.toISOString(),
    stage: message.header('Millrace-Stage'),
    reason: message.header('Millrace-Reason'),
    subject: message.header('Millrace-Subject'),
    sequence: message.header('Millrace-Sequence'),
    error: message.header('Millrace-Error'),
  }
}
