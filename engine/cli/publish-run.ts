/** Runs `millrace publish` once its options are known to be right: opens, publishes, reports. */
import { basename } from 'node:path'
import type { Clock } from '../clock.js'
import { messageOf } from '../errors.js'
import type { Addressing } from './event-address.js'
import { openEventFile, type ReadOptions } from './event-files/event-files.js'
import { publishFile, type PublishHooks, type PublishResult } from './publish-file.js'
import { PublishWindow, type EventPublisher } from './publish-window.js'
import { grouped, progressBar, styles, type TextStream } from './terminal.js'

export interface PublishTarget {
  readonly publisher: EventPublisher
  close(): Promise<void>
}

/** The program around the command, as much as publishing needs of it. */
export interface PublishSurroundings {
  readonly stdout: TextStream
  readonly stderr: TextStream
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly sleep: PublishHooks['sleep']
  /** Says stop, on SIGINT for instance. */
  readonly signal: AbortSignal
}

export interface PublishJob {
  readonly path: string
  readonly read: ReadOptions
  readonly addressing: Addressing
  readonly rate: number | undefined
  readonly isStrict: boolean
  /** `undefined`: a dry run. */
  readonly connect: (() => Promise<PublishTarget>) | undefined
}

/** Lines that are no events are all counted, but only this many are shown. */
const maxShownBadLines = 20

/** 0 when all of the file's events are in the stream (without `isStrict`: all that are events), otherwise 1. */
export async function runPublish(job: PublishJob, around: PublishSurroundings): Promise<0 | 1> {
  const { stderr, signal } = around
  const style = styles(stderr, around.env)
  const bar = progressBar(stderr, around.clock)
  const name = basename(job.path)
  let badLines = 0
  let target: PublishTarget | undefined

  const complain = (text: string) => {
    bar.clear()
    stderr.write(`${style('red', text)}\n`)
  }
  const hooks: PublishHooks = {
    clock: around.clock,
    sleep: around.sleep,
    signal,
    progress: (share, published) => bar.update(share, events(published)),
    bad: (line, problem) => {
      badLines++
      if (badLines <= maxShownBadLines) complain(`${name}:${line} ${problem}`)
      else if (badLines === maxShownBadLines + 1) complain('further bad lines are only counted')
    },
    dry: (event, { subject, id }) => around.stdout.write(`${subject}\t${id ?? '-'}\t${event.payload.length}\n`),
  }

  try {
    const file = await openEventFile(job.path, job.read)
    target = await job.connect?.()
    const window = target === undefined ? undefined : new PublishWindow(target.publisher)
    const result = await publishFile({ ...job, file }, window, hooks)
    bar.clear()
    if (window?.failure !== undefined) complain(`${name}:${window.failure.line} ${messageOf(window.failure.error)}`)
    stderr.write(`${style('bold', window === undefined ? drySummary(result) : summary(result, window))}\n`)
    const isComplete = !signal.aborted && window?.failure === undefined
    return isComplete && (badLines === 0 || !job.isStrict) ? 0 : 1
  } catch (error) {
    complain(`${name}: ${messageOf(error)}`)
    return 1
  } finally {
    await target?.close()
  }
}

function summary({ bad, durationMs }: PublishResult, { acknowledged, duplicates }: PublishWindow): string {
  const perSecond = durationMs > 0 ? Math.round((acknowledged * 1000) / durationMs) : acknowledged
  const seconds = (durationMs / 1000).toFixed(1)
  return `published ${events(acknowledged)} (${grouped(duplicates)} already there, ${grouped(bad)} bad lines) in ${seconds} s, ${grouped(perSecond)}/s`
}

function drySummary({ published, bad }: PublishResult): string {
  return `dry run: would publish ${events(published)} (${grouped(bad)} bad lines)`
}

function events(count: number): string {
  return `${grouped(count)} ${count === 1 ? 'event' : 'events'}`
}
