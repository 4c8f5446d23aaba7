/** A file that is read at the start and again whenever it changes. */
import { readFile, stat } from 'node:fs/promises'
import { messageOf } from '../engine/index.js'

export interface WatchedFileOptions<Content> {
  readonly file: string
  /** Throws when the text is not usable. */
  readonly parse: (text: string) => Content
  readonly onChange: (content: Content) => void
  readonly onFailure: (reason: string) => void
}

/**
 * Compares the file's time, size and inode with `poll`, which the owner calls now and then: notifications get lost on network
 * mounts and miss the swapped links by which Kubernetes updates its volumes. A broken or missing file leaves the last good
 * content in place and is reported once per version of the file.
 */
export class WatchedFile<Content> {
  readonly #options: WatchedFileOptions<Content>
  #content: Content
  /** Version whose outcome, good or bad, is known. */
  #settled: string
  /** Version seen by the last poll. */
  #seen: string

  private constructor(options: WatchedFileOptions<Content>, content: Content, version: string) {
    this.#options = options
    this.#content = content
    this.#settled = this.#seen = version
  }

  /** Reads the file for the first time; throws when it cannot be read or parsed. */
  static async open<Content>(options: WatchedFileOptions<Content>): Promise<WatchedFile<Content>> {
    const version = await versionOf(options.file)
    return new WatchedFile(options, options.parse(await readFile(options.file, 'utf8')), version)
  }

  /** The last good content. */
  get content(): Content {
    return this.#content
  }

  /**
   * Takes a changed file over. A file that still changes between two polls is left alone until it rests: half of a table
   * is a valid table. Never rejects.
   */
  async poll(): Promise<void> {
    const { file, parse, onChange, onFailure } = this.#options
    const before = this.#seen
    this.#seen = await versionOf(file)
    if (this.#seen === this.#settled || this.#seen !== before) return
    let content: Content
    let failure: string | undefined
    try {
      content = parse(await readFile(file, 'utf8'))
    } catch (cause) {
      content = this.#content
      failure = messageOf(cause)
    }
    // Written to while it was read: the next poll decides.
    if ((await versionOf(file)) !== this.#seen) return
    this.#settled = this.#seen
    this.#content = content
    if (failure === undefined) onChange(content)
    else onFailure(failure)
  }
}

/** Equal for equal content, as far as a file system says. A file that is not there has a version too. */
async function versionOf(file: string): Promise<string> {
  try {
    const { mtimeMs, ctimeMs, size, ino } = await stat(file)
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`
  } catch (cause) {
    return messageOf(cause)
  }
}
