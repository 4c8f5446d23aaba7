/** Writes `docs/configuration.md` and `docs/metrics.md`. Run with `npm run docs`. */
import { writeFileSync } from 'node:fs'
import { configurationPage } from './config/docs.js'
import { metricsPage } from './metrics/docs.js'

writeFileSync('docs/configuration.md', configurationPage())
writeFileSync('docs/metrics.md', metricsPage())
