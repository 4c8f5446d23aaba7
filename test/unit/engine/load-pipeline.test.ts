import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import t, { type Test } from 'tap'
import { Drop, MillraceError } from '../../../engine/index.js'
import { loadPipeline } from '../../../engine/load-pipeline.js'
import type { Event } from '../../../engine/event.js'

const engine = new URL('../../../engine/index.js', import.meta.url).href

/** A definition that drops everything, with what a test wants to vary. */
const definition = (more: { options?: string; exported?: string; before?: string; from?: string } = {}) => `
import { defineOperator, drop, pipeline } from ${JSON.stringify(more.from ?? engine)}
${more.before ?? ''}
const discard = defineOperator({
  name: 'discard',
  summary: 'Drops everything.',
  options: {},
  cost: 'none',
  drops: ['unwanted'],
  create: () => ({ process: () => drop('unwanted') }),
})
const profile = { problems: [], fingerprint: '', model: () => { throw new Error('not needed') } }
const made = pipeline({ name: 'shop', stages: [discard()], profile, ${more.options ?? ''} })
${more.exported ?? 'export default made'}
`

async function problemsOf(file: string): Promise<readonly string[]> {
  try {
    await loadPipeline(file)
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'pipeline_invalid') return error.lines
    throw error
  }
  return []
}

let written = 0

/** In a folder that no other definition had: Node reads each module and each package.json once. */
function write(t: Test, name: string, text: string, more: Record<string, string> = {}): string {
  const folder = `definition-${++written}`
  return resolve(t.testdir({ [folder]: { [name]: text, ...more } }), folder, name)
}

t.test('TypeScript and JavaScript load without a build step, whatever the package around them says', async t => {
  const typed = 'const limit: number = 3; interface Unused { a: number }; void limit'
  const packages = { none: undefined, esm: '{"type":"module"}', commonjs: '{"type":"commonjs"}' }
  for (const [around, text] of Object.entries(packages)) {
    for (const name of ['pipeline.ts', 'pipeline.mts', 'pipeline.mjs', ...(around === 'esm' ? ['pipeline.js'] : [])]) {
      const before = name.endsWith('ts') ? typed : ''
      const file = write(t, name, definition({ before }), text === undefined ? {} : { 'package.json': text })
      const { pipeline, folder } = await loadPipeline(`${file}`)
      t.equal(pipeline.name, 'shop', `${name} in a package of type ${around}`)
      t.equal(folder, resolve(file, '..'))
    }
  }
})

/** What is said when the file is loaded in a process of its own: here the translator is in place. */
function complaint(file: string): string {
  const loader = new URL('../../../engine/load-pipeline.js', import.meta.url).href
  const script = `await (await import(${JSON.stringify(loader)})).loadPipeline(${JSON.stringify(file)})`
  // Without what the runner of the tests has Node load in every process, which maps stacks by itself.
  const command = ['-u', 'NODE_OPTIONS', process.execPath, '--input-type=module', '-e', script]
  return spawnSync('env', command, { encoding: 'utf8' }).stderr
}

t.test('JavaScript is imported as it is, without the translator', async t => {
  for (const name of ['at.ts', 'at.mts']) {
    const file = write(t, 'plain.mjs', definition({ before: `import { at } from './${name}'\nvoid at` }), {
      [name]: 'export const at: number = 1',
    })
    const said = new RegExp(`plain\\.mjs" has problems: does not load: Error: ".*/${name}" is TypeScript, which only a`)
    t.match(complaint(file), said)
  }
})

t.test('what JavaScript throws is shown at its source, where a map says which', async t => {
  // The first line of the source is the second of what was made of it.
  const map = { version: 3, sources: ['made.ts'], names: [], mappings: ';AAAA' }
  const text = '/* by a build */\nthrow new TypeError("no such field")\n//# sourceMappingURL=made.mjs.map'
  const file = write(t, 'made.mjs', text, { 'made.mjs.map': JSON.stringify(map) })
  t.match(complaint(file), /does not load: TypeError: no such field \(at .*made\.ts:1:/)
})

t.test('a definition may be split over several files', async t => {
  const file = write(t, 'split.ts', definition({ before: "import { at } from './at.js'\nvoid at" }), {
    'at.ts': 'export const at: number = 1',
  })
  t.equal((await loadPipeline(file)).pipeline.name, 'shop')
})

t.test('the definition uses the same classes as the engine that runs it', async t => {
  for (const from of [engine, 'millrace']) {
    const { pipeline, folder } = await loadPipeline(write(t, 'same.ts', definition({ from })))
    const stage = await pipeline.stages[0]!.start({ folder, notice: () => {} })
    t.ok(stage.process({} as Event, { now: 0, memory: undefined }) instanceof Drop, `imported from ${from}`)
  }
})

t.test('the only exported pipeline is taken when there is no default', async t => {
  const exported = 'export const shop = made\nexport const other = 1'
  t.equal((await loadPipeline(write(t, 'named.ts', definition({ exported })))).pipeline.name, 'shop')
})

t.test('every problem of a definition is named', async t => {
  const options = "name: 'no blanks', partitions: 0, maxAhead: 'soon'"
  t.strictSame(await problemsOf(write(t, 'wrong.ts', definition({ options }))), [
    'name must be 1 to 64 letters, digits, "_" or "-", got "no blanks"',
    'partitions must be a whole number from 1 to 1024, got 0',
    'maxAhead must be a duration such as "10m", got "soon"',
  ])
})

t.test('what a compiler would have found is said, too', async t => {
  const problemsWith = async (options: string) => problemsOf(write(t, 'loose.ts', definition({ options })))
  t.strictSame(await problemsWith('partitons: 4'), [
    'partitons is not an option; known are maxAhead, name, partitions, profile, stages',
  ])
  t.strictSame(await problemsWith('stages: [discard, discard()]'), [
    'stages[0] must be a stage such as dedupe({ window: "1h" }), got a function',
  ])
  t.strictSame(await problemsWith('stages: discard(), profile: undefined'), [
    'stages must be a list of stages, got {"operator":"discard","name":"discard","fingerprint":"discard({})","problems"...',
    'profile must be what profile(...) gives, got nothing',
  ])
  t.strictSame(await problemsWith('stages: [discard([])]'), ['stages[0].options must be an object, got []'])
  t.strictSame(await problemsWith("stages: [discard({}, 'profile')]"), [
    'stages[0] must have another name: what the profile rejects is counted under it, got "profile"',
  ])
})

t.test('what is not a pipeline is said so', async t => {
  const none = 'must export what pipeline({...}) returns as its default'
  t.strictSame(await problemsOf(write(t, 'a.ts', definition({ exported: 'export default 3' }))), [none])
  t.strictSame(await problemsOf(write(t, 'b.ts', 'export {}')), [none])
  t.strictSame(await problemsOf(write(t, 'c.ts', definition({ exported: 'export const a = made, b = made' }))), [
    'exports 2 pipelines; make one the default export',
  ])
  t.strictSame(await problemsOf(write(t, 'd.yaml', '')), ['must be a file of .ts, .mts, .js, .mjs'])
  t.strictSame(await problemsOf(resolve(t.testdir({}), 'missing.ts')), ['cannot be read'])
})

t.test('a file that does not translate, or throws, says what and where', async t => {
  t.match(await problemsOf(write(t, 'syntax.ts', 'const a: = 1')), [/does not load: .*syntax\.ts:1:9.*Unexpected/s])
  t.match(await problemsOf(write(t, 'throws.ts', '\nthrow new TypeError("no such field")')), [
    /does not load: TypeError: no such field \(at .*throws\.ts:2:7\)/,
  ])
})
