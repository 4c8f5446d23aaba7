/** What tests of operators share: a received event, a started stage, a memory. */
import {
  Drop,
  Event,
  type HashMemory,
  Reject,
  type Outcome,
  type Stage,
  type StageContext,
  type StageDefinition,
  type StageSetup,
} from '../../../engine/index.js'

/** When every event of these tests reached the stream. */
export const receivedAt = 1_700_000_000_000

export interface Given {
  readonly type?: string
  readonly source?: string
  readonly key?: string
  readonly id?: string | undefined
  readonly occurredAt?: number
  readonly seq?: number
}

/** An event as the reader hands it on: bytes, no value yet. */
export function received(payload: Uint8Array | string, given: Given = {}): Event {
  const data = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload
  const { type = 'order', source = 'shop', key = '', id, occurredAt = receivedAt, seq = 7 } = given
  return new Event(
    seq,
    source,
    type,
    receivedAt,
    { subject: `events.3.${source}.${type}`, data },
    undefined,
    key,
    id,
    occurredAt,
  )
}

/** An event as a decode stage leaves it. */
export function decoded(value: unknown, given: Given = {}): Event {
  return received('', { key: 'ada', ...given }).with({ value })
}

export interface Notice {
  readonly level: 'info' | 'warn'
  readonly fields: Record<string, unknown>
  readonly sentence: string
}

export function setupIn(folder: string, notices: Notice[] = []): StageSetup {
  return { folder, notice: (level, fields, sentence) => notices.push({ level, fields, sentence }) }
}

/** Starts a stage whose options must be free of problems. */
export async function start(definition: StageDefinition, setup: StageSetup = setupIn('.')): Promise<Stage> {
  if (definition.problems.length > 0) throw new Error(definition.problems.join('\n'))
  return definition.start(setup)
}

/** Remembers for a window, as the engine's own memory promises to. */
export function memoryOf(windowMs: number): HashMemory {
  const seen = new Map<string, number>()
  return {
    checkAndAdd: (low, high, now) => {
      const hash = `${high}:${low}`
      const at = seen.get(hash)
      if (at !== undefined && now - at < windowMs) return true
      seen.set(hash, now)
      return false
    },
  }
}

export const context: StageContext = { now: receivedAt, memory: undefined }

/** `drop:reason`, `reject:reason` or the event, for comparing. */
export function told(outcome: Outcome): Event | readonly Event[] | string {
  if (outcome instanceof Drop) return `drop:${outcome.reason}`
  if (outcome instanceof Reject) return `reject:${outcome.reason}`
  return outcome
}

/** The one event of an outcome; throws when it is anything else. */
export function eventOf(outcome: Outcome): Event {
  if (outcome instanceof Event) return outcome
  throw new Error(
    `expected an event, got ${outcome instanceof Reject ? outcome.detail : JSON.stringify(told(outcome))}`,
  )
}

/** Plain objects only, bytes as `{ hex }` and BigInts as text, as the foreign vectors write them. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString('hex') }
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, plain(entry)]))
}

/** Files for `t.testdir`, from what they hold. */
export function jsonFiles(contents: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(contents).map(([name, content]) => [name, JSON.stringify(content)]))
}
