/** A private server: what can be done to it besides starting it. */
import type { ServerBinary } from './binaries.js'
import { LocalProcess, type LocalProcessOptions } from './process.js'

export abstract class LocalServer {
  protected readonly process: LocalProcess

  protected constructor(
    protected readonly binary: ServerBinary,
    /** What it stores and its log are here. */
    readonly folder: string,
    process: Omit<LocalProcessOptions, 'command' | 'environment'>,
  ) {
    this.process = new LocalProcess({ ...process, command: binary.path, environment: binary.environment })
  }

  get version(): string {
    return this.binary.version
  }

  get pid(): number {
    return this.process.pid
  }

  /** Again, after `stop` or `kill`: same port, same files. Resolves when it answers. */
  abstract start(): Promise<void>

  /** As an operator would; resolves when the process is gone. */
  async stop(): Promise<void> {
    await this.process.stop()
  }

  /** It can write nothing any more. Resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.process.kill()
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** Connections stay open, nothing is answered. */
  pause(): void {
    this.process.pause()
  }

  resume(): void {
    this.process.resume()
  }

  /** Lets the server outlive this process. */
  release(): void {
    this.process.release()
  }
}
