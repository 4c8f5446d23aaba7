/** Holds what was published and stored against what had to be. */
import { isDeepStrictEqual } from 'node:util'
import type { ExpectedDeadLetter } from './oracle-judge.js'
import type { StoredMessage } from './oracle-read.js'
import type { Effect, Shopper } from './oracle-shopper.js'

/** Differences, said one by one as long as they are few. */
export class Findings {
  readonly details: string[] = []
  mismatches = 0
  missingTriggers = 0
  unexpectedTriggers = 0
  repeatedTriggers = 0
  orderViolations = 0

  constructor(private readonly mostDetails = 20) {}

  note(
    kind: 'mismatches' | 'missingTriggers' | 'unexpectedTriggers' | 'repeatedTriggers' | 'orderViolations',
    detail: string,
  ): void {
    this[kind]++
    if (this.details.length < this.mostDetails) this.details.push(detail)
  }

  get isClean(): boolean {
    const { mismatches, missingTriggers, unexpectedTriggers, repeatedTriggers, orderViolations } = this
    return mismatches + missingTriggers + unexpectedTriggers + repeatedTriggers + orderViolations === 0
  }
}

/** A profile as whoever serves profiles shows it. */
export interface ServedProfile {
  readonly traits: Readonly<Record<string, unknown>>
  /** Segments with the time of entering, epoch milliseconds. */
  readonly segments: Readonly<Record<string, number>>
}

interface PublishedEffect {
  readonly id: string
  readonly trigger?: string
  readonly segment?: string
  readonly reason?: string
  readonly change?: string
  readonly profile: string
  readonly key: string
  readonly at: number
  readonly seq: number
  readonly data?: unknown
}

/** Pairs of what was expected and the message that says it; the rest goes to the findings. */
export function compareEffects(
  lane: Effect['lane'],
  expected: readonly Effect[],
  messages: readonly StoredMessage[],
  partition: number,
  findings: Findings,
): { effect: Effect; message: StoredMessage }[] {
  const open = new Map<string, Effect[]>()
  for (const effect of expected) {
    const sentence = sentenceOf(lane, effect.name, effect.detail, effect)
    open.set(sentence, [...(open.get(sentence) ?? []), effect])
  }
  const ids = new Set<string>()
  const pairs: { effect: Effect; message: StoredMessage }[] = []
  for (const message of messages) {
    const body = JSON.parse(Buffer.from(message.payload).toString()) as PublishedEffect
    const name = body.trigger ?? body.segment ?? ''
    const detail = body.reason ?? body.change
    const sentence = sentenceOf(lane, name, detail, body)
    const subject = [lane, name, ...(detail === undefined ? [] : [detail]), partition].join('.')
    if (message.subject !== subject) findings.note('mismatches', `${sentence} is published as ${message.subject}`)
    if (body.profile !== 'shopper') findings.note('mismatches', `${sentence} names profile ${body.profile}`)
    if (message.headers()?.get('Nats-Msg-Id') !== body.id)
      findings.note('mismatches', `${sentence}: id is not the header's`)
    if (ids.has(body.id))
      findings.note(lane === 'triggers' ? 'repeatedTriggers' : 'mismatches', `repeated: ${sentence}`)
    ids.add(body.id)
    const effect = open.get(sentence)?.shift()
    if (effect === undefined) {
      findings.note(lane === 'triggers' ? 'unexpectedTriggers' : 'mismatches', `unexpected: ${sentence}`)
    } else pairs.push({ effect, message })
  }
  for (const [sentence, left] of open) {
    left.forEach(() => findings.note(lane === 'triggers' ? 'missingTriggers' : 'mismatches', `missing: ${sentence}`))
  }
  checkOrder(lane, messages, partition, findings)
  return pairs
}

/** Every dead letter, with the bytes that came in, exactly once. */
export function compareDeadLetters(
  expected: readonly ExpectedDeadLetter[],
  messages: readonly StoredMessage[],
  partition: number,
  findings: Findings,
): void {
  const open = new Map(expected.map(letter => [letter.seq, letter]))
  for (const { subject, payload, headers } of messages) {
    const header = (name: string) => headers()?.get(`Millrace-${name}`) ?? ''
    const seq = Number(header('Sequence'))
    const what = `dead letter ${subject} of ${header('Stream')} ${seq}`
    const letter = open.get(seq)
    open.delete(seq)
    if (letter === undefined) findings.note('mismatches', `unexpected: ${what}`)
    else if (subject !== `deadletters.${letter.stage}.${letter.reason}.${partition}`) {
      findings.note('mismatches', `${what} had to be ${letter.stage} ${letter.reason}`)
    } else if (header('Stage') !== letter.stage || header('Reason') !== letter.reason || header('Error') === '') {
      findings.note('mismatches', `${what} has headers that do not say why`)
    } else if (!Buffer.from(payload).equals(letter.payload)) {
      findings.note('mismatches', `${what} does not hold the original bytes`)
    }
  }
  for (const { stage, reason, seq } of open.values()) {
    findings.note('mismatches', `missing: dead letter ${stage} ${reason} of event ${seq}`)
  }
  checkOrder('deadletters', messages, partition, findings)
}

/** `readAt` are the moments just before and just after the profile was read: values that time changes may be those of either. */
export function compareProfile(
  shopper: Shopper,
  served: ServedProfile | undefined,
  readAt: readonly [number, number],
  findings: Findings,
): void {
  const { key } = shopper
  if (served === undefined) return findings.note('mismatches', `profile ${key} does not exist`)
  const [before, after] = readAt.map(now => shopper.traits(now)) as [Record<string, unknown>, Record<string, unknown>]
  for (const name of new Set([...Object.keys(before), ...Object.keys(served.traits)])) {
    const value = served.traits[name]
    if (isSame(name, value, before[name]) || isSame(name, value, after[name])) continue
    findings.note(
      'mismatches',
      `profile ${key} ${name} is ${JSON.stringify(value)}, not ${JSON.stringify(after[name])}`,
    )
  }
  if (!isDeepStrictEqual(served.segments, shopper.segments())) {
    const [is, must] = [served.segments, shopper.segments()].map(segments => JSON.stringify(segments))
    findings.note('mismatches', `profile ${key} is in segments ${is}, not ${must}`)
  }
}

/** Above 64 different values their number is an estimate, of 2.3 % standard error: four times that is allowed. */
function isSame(name: string, value: unknown, expected: unknown): boolean {
  if (name === 'products' && typeof value === 'number' && typeof expected === 'number' && expected > 64) {
    return Math.abs(value - expected) <= 0.092 * expected
  }
  return isDeepStrictEqual(value, expected)
}

/** Within a partition, positions rise from message to message. */
function checkOrder(lane: string, messages: readonly StoredMessage[], partition: number, findings: Findings): void {
  let last: readonly [number, number] = [0, -1]
  for (const message of messages) {
    const header = message.headers()?.get('Millrace-Position') ?? ''
    const [seq, ordinal] = header.split(':').map(Number) as [number, number]
    const rises = seq > last[0] || (seq === last[0] && ordinal > last[1])
    if (!rises) findings.note('orderViolations', `${lane} of partition ${partition}: ${header} after ${last.join(':')}`)
    last = [seq, ordinal]
  }
}

/** Everything that must agree, in words that do not depend on the order of a body's members. */
function sentenceOf(
  lane: string,
  name: string,
  detail: string | undefined,
  effect: Pick<Effect, 'key' | 'at' | 'seq' | 'data'>,
): string {
  const { key, at, seq, data } = effect
  const said = data === undefined ? '' : ` ${JSON.stringify(sorted(data))}`
  return `${lane} ${name}${detail === undefined ? '' : ` ${detail}`} of ${key} at ${at} after event ${seq}${said}`
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  )
}
