/** Servers, a plain client and engines of the visits pipeline on them. */
import type { LocalServers, LocalServersOptions } from '../../engine/cli/local/servers.js'
import type { Pipeline } from '../../engine/millrace.js'
import { Broker, type StoredMessage, type TestEvent } from './broker.js'
import { startEngine, type EngineSetup, type RunningEngine } from './engine.js'
import { startServers, type TestScope } from './servers.js'
import { visit, visitPartitions, visits } from './visits.js'

export interface World {
  readonly servers: LocalServers
  readonly broker: Broker
  /** Starts an engine on these servers, stopped at the test's end. */
  start(pipeline?: Pipeline, setup?: Partial<EngineSetup>): Promise<RunningEngine>
}

export async function world(t: TestScope, nats: LocalServersOptions['nats'] = {}): Promise<World> {
  const servers = await startServers(t, { nats: { partitions: visitPartitions, ...nats } })
  const broker = await Broker.connect(t, servers.nats.url)
  return {
    servers,
    broker,
    start: (pipeline = visits(), setup = {}) =>
      startEngine(t, { nats: `127.0.0.1:${servers.nats.port}`, redis: servers.redis.url, pipeline, ...setup }),
  }
}

/** Ids of the visits that the trigger of this name was published for, in stream order. */
export async function triggered(broker: Broker, name = 'seen'): Promise<string[]> {
  const triggers = await broker.read('TRIGGERS')
  return triggers.filter(({ subject }) => subject.startsWith(`triggers.${name}.`)).map(idIn)
}

function idIn(message: StoredMessage): string {
  return message.json<{ data: { id: string } }>().data.id
}

/** People of all partitions. */
export const users = Array.from({ length: 20 }, (_, i) => `ada-${i}`)

/** One visit after the other, by all users in turn. */
export function visitsOf(count: number): TestEvent[] {
  return Array.from({ length: count }, (_, i) => visit(users[i % users.length]!))
}
