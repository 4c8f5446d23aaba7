import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { findNode } from '../../../../benchmarks/runtimes/node-program.js'

const silent = () => {}

async function programThatSays(folder: string, version: string): Promise<string> {
  const path = join(folder, 'node')
  await writeFile(path, `#!/bin/sh\necho ${version}\n`)
  await chmod(path, 0o755)
  return path
}

t.test('the running version is the running program', async t => {
  const major = Number(process.versions.node.split('.')[0])
  t.strictSame(await findNode(major, silent), { path: process.execPath, version: process.version })
})

t.test('a program that is named is used when it is of that version', async t => {
  const path = await programThatSays(t.testdir(), 'v99.1.2')
  process.env['MILLRACE_NODE_99'] = path
  t.teardown(() => delete process.env['MILLRACE_NODE_99'])
  t.strictSame(await findNode(99, silent), { path, version: 'v99.1.2' })
})

t.test('a program of another version is refused', async t => {
  process.env['MILLRACE_NODE_99'] = await programThatSays(t.testdir(), 'v9.9.9')
  t.teardown(() => delete process.env['MILLRACE_NODE_99'])
  await t.rejects(findNode(99, silent), { message: /must be Node 99, is v9\.9\.9/ })
})
