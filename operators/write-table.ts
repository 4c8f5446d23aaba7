/** Writes `docs/operators.md`. Run from the repository's top: `node build/operators/write-table.js`. */
import { writeFileSync } from 'node:fs'
import { operators } from './index.js'
import { renderTable } from './table.js'

writeFileSync('docs/operators.md', renderTable(operators))
