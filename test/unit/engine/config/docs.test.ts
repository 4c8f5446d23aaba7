import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { configurationPage } from '../../../../engine/config/docs.js'

const page = join(import.meta.dirname, '../../../../../docs/configuration.md')

t.test('docs/configuration.md says what the declaration says', async t => {
  t.equal(await readFile(page, 'utf8'), configurationPage(), 'run: node build/engine/write-docs.js')
})
