import { appendFileSync, createWriteStream, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import avro from 'avsc'
import t, { type Test } from 'tap'
import type { FileEntry } from '../../../../../engine/cli/event-files/event-file.js'
import {
  formatOf,
  openEventFile,
  type FileFormat,
  type ReadOptions,
} from '../../../../../engine/cli/event-files/event-files.js'

interface Read {
  readonly line: number
  readonly payload?: string
  readonly problem?: string
}

/** What reading a file gives, payloads as text. */
async function read(path: string, format: FileFormat, options: Partial<ReadOptions> = {}): Promise<Read[]> {
  const { entries } = await openEventFile(path, { format, as: 'json', numeric: [], fingerprint: () => 0n, ...options })
  const found: FileEntry[] = []
  for await (const entry of entries) found.push(entry)
  return found.map(entry =>
    'problem' in entry ? entry : { line: entry.line, payload: Buffer.from(entry.payload).toString() },
  )
}

function write(t: Test, content: string | Buffer): string {
  const path = join(t.testdir({}), 'events')
  writeFileSync(path, content)
  return path
}

t.test('the end of the name says the format', async t => {
  const formats = ['a.ndjson', 'a.jsonl', 'A.JSON', 'a.csv', 'a.avro', 'a.txt', 'a'].map(formatOf)
  t.strictSame(formats, ['ndjson', 'ndjson', 'ndjson', 'csv', 'avro', undefined, undefined])
})

t.test('NDJSON lines are published byte by byte as they stand', async t => {
  const path = write(t, '\ufeff{ "b":1.0,"a":"ü" }\r\n\n[1]\n{"last": true}')
  t.strictSame(await read(path, 'ndjson'), [
    { line: 1, payload: '{ "b":1.0,"a":"ü" }' },
    { line: 3, payload: '[1]' },
    { line: 4, payload: '{"last": true}' },
  ])
})

t.test('a line that is no JSON is a problem with its number, and reading goes on', async t => {
  const path = write(t, '{"a":1}\nada@example.org\n{"a":2}\n')
  t.strictSame(await read(path, 'ndjson'), [
    { line: 1, payload: '{"a":1}' },
    { line: 2, problem: 'is not JSON' },
    { line: 3, payload: '{"a":2}' },
  ])
})

t.test('lines may be longer than what is read at once, up to a bound', async t => {
  const bound = 8 * 1024 * 1024
  const fits = JSON.stringify('x'.repeat(bound - 2))
  const path = write(t, `${fits}\n`)
  appendFileSync(path, `${fits} \n1\n`)
  const entries = await read(path, 'ndjson')
  t.equal(entries[0]!.payload?.length, bound)
  t.strictSame(entries.slice(1), [
    { line: 2, problem: `is longer than ${bound} bytes` },
    { line: 3, payload: '1' },
  ])
})

t.test('CSV rows become objects of text, named columns numbers', async t => {
  const path = write(t, '\ufeffid,zip,total\na,007,1.50\n"b,""c",8, 2 \n')
  t.strictSame(await read(path, 'csv', { numeric: ['total'] }), [
    { line: 2, payload: '{"id":"a","zip":"007","total":1.5}' },
    { line: 3, payload: '{"id":"b,\\"c","zip":"8","total":2}' },
  ])
})

t.test('a CSV row that does not fit is a problem with its number, and reading goes on', async t => {
  const path = write(t, 'id,total\na,1\nb\nc,many\nd,\ne,5\n')
  t.strictSame(await read(path, 'csv', { numeric: ['total'] }), [
    { line: 2, payload: '{"id":"a","total":1}' },
    { line: 3, problem: 'has another number of values than the header row' },
    { line: 4, problem: 'total is not a number' },
    { line: 5, problem: 'total is not a number' },
    { line: 6, payload: '{"id":"e","total":5}' },
  ])
})

t.test('a CSV file whose header row is missing or wrong is refused', async t => {
  await t.rejects(read(write(t, ''), 'csv'), /has no header row/)
  await t.rejects(read(write(t, 'a,a\n1,2\n'), 'csv'), /has two columns "a"/)
  await t.rejects(read(write(t, 'a,b\n1,2\n'), 'csv', { numeric: ['a', 'c', 'd'] }), /has no column "c", "d"/)
})

t.test('a CSV row that swallows those behind it is a failure of the file', async t => {
  await t.rejects(read(write(t, 'a,b\n1,2\n3,"x\n5,6\n'), 'csv'), {
    message: 'has a quote that is never closed, after 1 good rows',
  })
  const bound = 8 * 1024 * 1024
  const path = write(t, `a,b\n1,${'x'.repeat(bound - 2)}\n`)
  t.equal((await read(path, 'csv')).length, 1)
  appendFileSync(path, `"3\n${'5,6\n'.repeat(bound / 4)}`)
  await t.rejects(read(path, 'csv'), { message: `has a row longer than ${bound} bytes, after 1 good rows` })
})

const type = avro.Type.forSchema({
  type: 'record',
  name: 'Viewed',
  fields: [
    { name: 'key', type: 'string' },
    { name: 'count', type: ['null', 'int'] },
    { name: 'raw', type: 'bytes' },
  ],
})
const records = [
  { key: 'ada', count: 1, raw: Buffer.from([1, 2]) },
  { key: 'bob', count: null, raw: Buffer.alloc(0) },
]

async function avroFile(t: Test, codec: string): Promise<string> {
  const path = write(t, '')
  await pipeline(Readable.from(records), new avro.streams.BlockEncoder(type, { codec }), createWriteStream(path))
  return path
}

t.test('Avro records are published in single-object encoding: marker, fingerprint, record', async t => {
  for (const codec of ['null', 'deflate']) {
    const path = await avroFile(t, codec)
    const asked: unknown[] = []
    const fingerprint: ReadOptions['fingerprint'] = schema => {
      asked.push(schema)
      return 0x0102030405060708n
    }
    const { entries } = await openEventFile(path, { format: 'avro', as: 'avro', numeric: [], fingerprint })
    const found: FileEntry[] = []
    for await (const entry of entries) found.push(entry)
    const header = Buffer.from('c3010807060504030201', 'hex')
    t.match(
      found,
      records.map((value, at) => ({ line: at + 1, value, payload: Buffer.concat([header, type.toBuffer(value)]) })),
    )
    t.match(asked, [{ name: 'Viewed' }], 'asked once, with the schema of the file')
  }
})

t.test('Avro records may be published as JSON, bytes as base64', async t => {
  t.strictSame(await read(await avroFile(t, 'null'), 'avro'), [
    { line: 1, payload: '{"key":"ada","count":1,"raw":"AQI="}' },
    { line: 2, payload: '{"key":"bob","count":null,"raw":""}' },
  ])
})

t.test('an Avro file that is cut off anywhere is refused before its first event', async t => {
  const whole = readFileSync(await avroFile(t, 'null'))
  for (let length = 0; length < whole.length; length++) {
    const path = write(t, whole)
    truncateSync(path, length)
    const seen: FileEntry[] = []
    const { entries } = await openEventFile(path, { format: 'avro', as: 'json', numeric: [], fingerprint: () => 0n })
    const reading = (async () => {
      for await (const entry of entries) seen.push(entry)
    })()
    const isHeaderOnly = whole.subarray(0, length).subarray(-16).equals(whole.subarray(-16))
    if (isHeaderOnly) await reading
    else await t.rejects(reading, `${length} bytes`)
    t.strictSame(seen, [])
  }
  await t.rejects(read(write(t, 'this is not Avro'), 'avro'), /magic bytes/)
})

t.test('a file that does not exist is an error at once', async t => {
  await t.rejects(read(join(t.testdir({}), 'none'), 'ndjson'), { code: 'ENOENT' })
})

t.test('how much was read rises from nothing to all', async t => {
  const file = await openEventFile(write(t, '1\n2\n'), {
    format: 'ndjson',
    as: 'json',
    numeric: [],
    fingerprint: () => 0n,
  })
  t.equal(file.share(), 0)
  for await (const entry of file.entries) t.ok(entry)
  t.equal(file.share(), 1)
})
