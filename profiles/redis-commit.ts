/** Lays a commit out as the keys and arguments of `commit.lua`, whose header names the slots. */
import type { Commit } from '../engine/index.js'
import type { RedisKeys } from './redis-keys.js'
import { metaFields } from './redis-meta.js'

export function commitArguments(
  keys: RedisKeys,
  partition: number,
  commit: Commit,
  garbageMs: number,
): (string | number | Buffer)[] {
  const names: string[] = [keys.meta(partition), keys.outbox(partition), keys.timers(partition)]
  const profileBytes: Buffer[] = []
  const deleted: string[] = []
  for (const { key, bytes } of commit.profiles) {
    const name = keys.profile(partition, key)
    if (bytes === undefined) deleted.push(name)
    else {
      names.push(name)
      profileBytes.push(bytes)
    }
  }
  const appended: string[] = []
  const appendedBytes: Buffer[] = []
  const dropped: string[] = []
  for (const { stage, bucket, bytes } of commit.memory) {
    const name = keys.memory(partition, stage, bucket)
    if (bytes === undefined) dropped.push(name)
    else {
      appended.push(name)
      appendedBytes.push(bytes)
    }
  }
  const set: (string | number)[] = []
  const removed: string[] = []
  for (const { key, dueAt } of commit.timers) {
    if (dueAt === Infinity) removed.push(key)
    else set.push(dueAt, key)
  }
  const fields = metaFields(commit.meta)
  names.push(...deleted, ...appended, ...dropped)
  return [
    names.length,
    ...names,
    commit.token,
    commit.commitId,
    commit.previousPosition,
    commit.previousCommitId,
    commit.trim,
    fields.length / 2,
    commit.outbox.length,
    profileBytes.length,
    deleted.length,
    commit.profileTtlMs === undefined ? 0 : commit.profileTtlMs + garbageMs,
    set.length / 2,
    removed.length,
    appended.length,
    dropped.length,
    ...fields,
    ...commit.outbox,
    ...profileBytes,
    ...set,
    ...removed,
    ...appendedBytes,
  ]
}
