/** Writes `docs/configuration.md` and `docs/metrics.md`. Run from the repository's top: `node build/engine/write-docs.js`. */
import { writeFileSync } from 'node:fs'
import { configurationPage } from './config-docs.js'
import { metricsPage } from './metrics-docs.js'

writeFileSync('docs/configuration.md', configurationPage())
writeFileSync('docs/metrics.md', metricsPage())
