/** A folder on a file system of its own with a fixed size, so that it can be full; where that may be made. */
import { execFile } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestScope } from '../../support/servers.js'

const run = promisify(execFile)
const ballast = 'ballast'
const fewBytes = 64 * 1024
const mostTries = 30

export class Disk {
  #ballasts = 0

  private constructor(
    private readonly folder: string,
    /** Why it cannot be filled; `undefined` when it can. */
    readonly refusal: string | undefined,
  ) {}

  /** Without a size, an ordinary folder. Unmounted at the end of the scope. */
  static async open(t: TestScope, folder: string, sizeMb: number | undefined): Promise<Disk> {
    await mkdir(folder, { recursive: true })
    if (sizeMb === undefined) return new Disk(folder, 'the run was started without limited disks')
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'tmpfs', folder])
    } catch {
      return new Disk(folder, 'this machine does not let us mount a tmpfs')
    }
    // Lazily: a server that is being killed may still hold a file.
    t.teardown(() => run('umount', ['--lazy', folder]).catch(() => undefined))
    return new Disk(folder, undefined)
  }

  /** Takes all space that is left, but for a few pages. */
  async fill(): Promise<void> {
    // Whoever writes at the same moment leaves less than was counted: never all at once, and what fails is counted anew.
    for (let tries = 0; tries < mostTries; tries++) {
      const free = await this.#freeBytes()
      if (free <= fewBytes) return
      const file = join(this.folder, `${ballast}-${this.#ballasts++}`)
      await run('fallocate', ['--length', String(Math.floor(free * 0.9)), file]).catch(() => undefined) // somebody was faster
    }
  }

  async free(): Promise<void> {
    for (; this.#ballasts > 0; this.#ballasts--) {
      await rm(join(this.folder, `${ballast}-${this.#ballasts - 1}`), { force: true })
    }
  }

  async #freeBytes(): Promise<number> {
    const { stdout } = await run('df', ['--output=avail', '--block-size=1', this.folder])
    return Number(stdout.trim().split('\n').at(-1))
  }
}
