/** An event's effects, one after the other, each awaited. */
import type { Redis } from 'ioredis'
import { headers, type JetStreamClient } from 'nats'
import {
  type Command,
  consequencesOf,
  cooldownCommand,
  isCopy,
  rememberCommand,
  segmentCommand,
  updateCommands,
} from './profile-updates.js'
import type { ShopEvent } from './shop-events.js'

export class OneByOne {
  constructor(
    private readonly redis: Redis,
    private readonly jetstream: JetStreamClient,
  ) {}

  /** Resolves when all effects are acknowledged. `seq` is the event's place in the stream. */
  async handle(event: ShopEvent, seq: number): Promise<void> {
    if (isCopy(await this.#call(rememberCommand(event, seq)), seq)) return
    const answers: unknown[] = []
    for (const command of updateCommands(event)) answers.push(await this.#call(command))
    const { segments, triggers } = consequencesOf(event, answers)
    for (const segment of segments) await this.#call(segmentCommand(segment, event))
    for (const { name, data, cooldownMs } of triggers) {
      if (cooldownMs !== undefined && (await this.#call(cooldownCommand(cooldownMs, event))) === null) continue
      const cause = headers()
      cause.set('Bench-Cause', String(seq))
      await this.jetstream.publish(`triggers.${name}.${event.userId}`, JSON.stringify(data), { headers: cause })
    }
  }

  #call([name, ...args]: Command): Promise<unknown> {
    return this.redis.call(name, args)
  }
}
