/** The part of BullMQ that is used, which is installed apart from the project, and what its two programs are started with. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Settings } from '../node/settings.js'
import type { ShopEvent } from '../node/shop-events.js'

/** JSON in Redis. */
export interface ShopJob {
  /** The event's place in the stream. */
  readonly seq: number
  readonly event: ShopEvent
}

interface Connection {
  readonly connection: { readonly host: string; readonly port: number }
}

interface Queue {
  addBulk(jobs: readonly { name: string; data: ShopJob; opts: { removeOnComplete: boolean } }[]): Promise<unknown>
  getWaitingCount(): Promise<number>
  close(): Promise<void>
}

interface Worker {
  on(event: 'error', listener: (error: Error) => void): void
  on(event: 'failed', listener: (job: unknown, error: Error) => void): void
  close(): Promise<void>
}

interface BullMq {
  readonly Queue: new (name: string, options: Connection) => Queue
  readonly Worker: new (
    name: string,
    work: (job: { readonly data: ShopJob }) => Promise<void>,
    options: Connection & { readonly concurrency: number },
  ) => Worker
}

export interface BullMqSettings extends Settings {
  /** Where BullMQ is installed. */
  readonly folder: string
  /** Whether a job has the event's effects, or none at all. */
  readonly hasEffects: boolean
}

export const queueName = 'events'

export function loadBullMq({ folder }: BullMqSettings): BullMq {
  return createRequire(join(folder, 'package.json'))('bullmq') as BullMq
}

/** Jobs that are added in advance. */
export const mostWaiting = 80_000

export function connectionTo({ redisUrl }: BullMqSettings): Connection {
  const { hostname, port } = new URL(redisUrl)
  return { connection: { host: hostname, port: Number(port) } }
}
