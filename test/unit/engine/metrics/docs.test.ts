import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { metricsPage } from '../../../../engine/metrics/docs.js'

const page = join(import.meta.dirname, '../../../../../docs/metrics.md')

t.test('docs/metrics.md says what the declaration says', async t => {
  t.equal(await readFile(page, 'utf8'), metricsPage(), 'run: node build/engine/write-docs.js')
})
