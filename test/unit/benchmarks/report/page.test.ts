import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { docsFolder, makeReport, pageName, plotsFolder } from '../../../../benchmarks/report/write.js'

// When this fails, `npm run bench:report` writes both anew. What it then shows is what was saved, so look at the difference.

t.test('the page says exactly what its template and the saved results give', async t => {
  const { markdown } = await makeReport()
  t.equal(await readFile(join(docsFolder, pageName), 'utf8'), markdown)
})

t.test('its plots are those of the saved results, and no others', async t => {
  const { plots } = await makeReport()
  const folder = join(docsFolder, plotsFolder)
  const found = (await readdir(folder).catch(() => [])).filter(file => file.endsWith('.svg')).sort()
  t.strictSame(found, plots.map(({ file }) => file).sort())
  for (const { file, svg } of plots) t.equal(await readFile(join(folder, file), 'utf8'), svg, file)
})
