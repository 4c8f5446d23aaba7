/** A peer's process together with the consumer that shows how far it is. */
import { join } from 'node:path'
import { LocalProcess } from '../../engine/cli/local/process.js'
import type { Entrant, Site } from './contender.js'
import type { StreamConsumer } from './stream-consumer.js'

export interface PeerCommand {
  readonly name: string
  readonly command: string
  readonly arguments: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

/** Starts it; resolves when it exists. What it writes is kept in the site's folder. */
export async function startPeer({ folder }: Site, command: PeerCommand, consumer: StreamConsumer): Promise<Entrant> {
  const peer = new LocalProcess({ ...command, logFile: join(folder, `${command.name}.log`) })
  try {
    return new Peer(peer, await peer.start(pid => Promise.resolve(pid)), consumer)
  } catch (error) {
    await consumer.close()
    throw error
  }
}

class Peer implements Entrant {
  constructor(
    private readonly peer: LocalProcess,
    private readonly pid: number,
    private readonly consumer: StreamConsumer,
  ) {}

  get pids(): readonly number[] {
    return [this.pid]
  }

  done(): Promise<number> {
    return this.consumer.acknowledged()
  }

  check(): void {
    if (!this.peer.isRunning) throw this.peer.failure('ended by itself')
  }

  async stop(): Promise<void> {
    await this.peer.stop()
    await this.consumer.close()
  }
}
