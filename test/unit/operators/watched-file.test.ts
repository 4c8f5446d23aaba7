import { rename, rm, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { WatchedFile } from '../../../operators/watched-file.js'

/** A watched file that holds a number, and what it reported. */
async function watch(folder: string) {
  const file = path.join(folder, 'number')
  const reports: string[] = []
  let reads = 0
  const watched = await WatchedFile.open({
    file,
    parse: text => {
      reads++
      if (!/^\d+$/.test(text)) throw new Error(`no number in ${text.length} characters`)
      return Number(text)
    },
    onChange: content => reports.push(`changed to ${content}`),
    onFailure: reason => reports.push(`failed: ${reason}`),
  })
  return { file, watched, reports, reads: () => reads }
}

t.test('the file is read at the start; one that cannot be is refused', async t => {
  t.equal((await watch(t.testdir({ number: '1' }))).watched.content, 1)
  await t.rejects(watch(t.testdir({ number: 'x' })), /no number/)
  await t.rejects(watch(t.testdir({})), /ENOENT/)
})

t.test('a change is taken over once it rests from one poll to the next', async t => {
  const { file, watched, reports } = await watch(t.testdir({ number: '1' }))
  await watched.poll()
  t.same(reports, [], 'nothing has changed')
  await writeFile(file, '22')
  await watched.poll()
  t.equal(watched.content, 1, 'perhaps still being written')
  await watched.poll()
  t.equal(watched.content, 22)
  t.same(reports, ['changed to 22'])
})

t.test('a file that keeps changing is left alone until it rests', async t => {
  const { file, watched, reports } = await watch(t.testdir({ number: '1' }))
  for (let length = 2; length < 6; length++) {
    await writeFile(file, '9'.repeat(length))
    await watched.poll()
    t.equal(watched.content, 1)
  }
  await watched.poll()
  t.equal(watched.content, 99999)
  t.same(reports, ['changed to 99999'])
})

t.test('a broken change keeps the last good content and is reported once', async t => {
  const { file, watched, reports, reads } = await watch(t.testdir({ number: '1' }))
  await writeFile(file, 'broken')
  for (let poll = 0; poll < 5; poll++) await watched.poll()
  t.equal(watched.content, 1)
  t.same(reports, ['failed: no number in 6 characters'])
  t.equal(reads(), 2, 'and not read over and over')
  await writeFile(file, '333')
  await watched.poll()
  await watched.poll()
  t.equal(watched.content, 333)
})

t.test('a missing file keeps the last good content, and is taken back when it returns', async t => {
  const { file, watched, reports } = await watch(t.testdir({ number: '1' }))
  await rm(file)
  for (let poll = 0; poll < 5; poll++) await watched.poll()
  t.equal(watched.content, 1)
  t.equal(reports.length, 1)
  t.match(reports[0], /^failed: ENOENT/)
  await writeFile(file, '44')
  await watched.poll()
  await watched.poll()
  t.equal(watched.content, 44)
})

t.test('a file moved into place is seen even when time and size are the same', async t => {
  const { file, watched } = await watch(t.testdir({ number: '1', next: '2' }))
  const next = path.join(path.dirname(file), 'next')
  await utimes(file, 1000, 1000)
  await utimes(next, 1000, 1000)
  await watched.poll()
  await watched.poll()
  await rename(next, file)
  await watched.poll()
  await watched.poll()
  t.equal(watched.content, 2)
})
