/** Commits of a real run, on disk: what the ceilings repeat. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { deserialize, serialize } from 'node:v8'
import type { Commit } from '../../engine/store.js'

/** What a commit writes, without what ties it to its run. */
export type Writes = Omit<Commit, 'token' | 'commitId' | 'previousPosition' | 'previousCommitId'>

export interface RecordedCommit {
  readonly partition: number
  readonly writes: Writes
}

export class RecordingWriter {
  readonly #file: number

  constructor(path: string) {
    this.#file = openSync(path, 'w')
  }

  write(partition: number, commit: Commit): void {
    const { meta, profiles, profileTtlMs, timers, memory, outbox, trim } = commit
    const writes: Writes = { meta, profiles, profileTtlMs, timers, memory, outbox, trim }
    const bytes = serialize({ partition, writes } satisfies RecordedCommit)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(bytes.length)
    writeSync(this.#file, length)
    writeSync(this.#file, bytes)
  }

  close(): void {
    closeSync(this.#file)
  }
}

/** In the order in which they were written. */
export function readRecording(path: string): RecordedCommit[] {
  const bytes = readFileSync(path)
  const commits: RecordedCommit[] = []
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32LE(at)
    commits.push(deserialize(bytes.subarray(at + 4, end)) as RecordedCommit)
    at = end
  }
  return commits
}

/** What the commits of a run were like. */
export interface CommitShape {
  readonly commits: number
  readonly eventsPerCommit: number
  readonly profilesPerCommit: number
  readonly bytesPerProfile: number
  readonly outboxEntries: number
  readonly timers: number
  /** Profiles, outbox and memory. */
  readonly megabytes: number
}

export function shapeOf(recorded: readonly RecordedCommit[], events: number): CommitShape {
  let [profiles, profileBytes, outboxEntries, timers, otherBytes] = [0, 0, 0, 0, 0]
  for (const { writes } of recorded) {
    profiles += writes.profiles.length
    timers += writes.timers.length
    outboxEntries += writes.outbox.length
    for (const { bytes } of writes.profiles) profileBytes += bytes?.length ?? 0
    for (const bytes of writes.outbox) otherBytes += bytes.length
    for (const { bytes } of writes.memory) otherBytes += bytes?.length ?? 0
  }
  return {
    commits: recorded.length,
    eventsPerCommit: events / recorded.length,
    profilesPerCommit: profiles / recorded.length,
    bytesPerProfile: profileBytes / Math.max(1, profiles),
    outboxEntries,
    timers,
    megabytes: (profileBytes + otherBytes) / 1e6,
  }
}
