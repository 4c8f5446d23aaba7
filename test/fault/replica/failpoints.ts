/** Ends the process at a chosen moment of the protocol, as a power switch would: no handler runs, nothing is flushed. */
import { Publisher } from '../../../engine/nats/publisher.js'
import type { ProfileStore } from '../../../engine/store.js'

/** Between the two, the request is on its way or done and its answer not known. */
export const failpoints = ['commit', 'publish', 'trim', 'acquire', 'release'].flatMap(step => [
  `before_${step}`,
  `after_${step}`,
])

/** `points` are `<point>:<time>`, such as `after_commit:37`: at the 37th commit, when it is written and before anybody knows. */
export function passFailpoints(store: ProfileStore, wanted: readonly string[]): ProfileStore {
  const left = new Map(wanted.map(parse))
  if (left.size === 0) return store
  const pass = (point: string): void => {
    const times = left.get(point)
    if (times === undefined) return
    if (times <= 1) process.kill(process.pid, 'SIGKILL')
    left.set(point, times - 1)
  }
  const around = async <T>(step: string, work: () => Promise<T>): Promise<T> => {
    pass(`before_${step}`)
    const done = await work()
    pass(`after_${step}`)
    return done
  }
  const { commit, acquire, release } = store
  store.commit = (partition, writes) =>
    around(writes.trim > 0 ? 'trim' : 'commit', () => commit.call(store, partition, writes))
  store.acquire = (partition, claim) => around('acquire', () => acquire.call(store, partition, claim))
  store.release = (partition, token) => around('release', () => release.call(store, partition, token))
  watchPublisher(pass)
  return store
}

function watchPublisher(pass: (point: string) => void): void {
  const { publish, publishGroup } = Publisher.prototype
  Publisher.prototype.publish = function (subject, payload, fields, done) {
    pass('before_publish')
    publish.call(this, subject, payload, fields, (...answer) => {
      pass('after_publish')
      done(...answer)
    })
  }
  Publisher.prototype.publishGroup = function (group, expected, done) {
    pass('before_publish')
    publishGroup.call(this, group, expected, (...answer) => {
      pass('after_publish')
      done(...answer)
    })
  }
}

function parse(written: string): [string, number] {
  const [point = '', times = ''] = written.split(':')
  if (!failpoints.includes(point) || !(Number(times) >= 1)) {
    throw new Error(
      `a failpoint must be <point>:<time>, got ${JSON.stringify(written)}; points are ${failpoints.join(', ')}`,
    )
  }
  return [point, Number(times)]
}
