import { readFile } from 'node:fs/promises'
import { test } from 'tap'
import { nodeFlags } from '../../../../engine/cli/node-flags.js'

test('the program calls Node as those do who start it by its path', async t => {
  const source = await readFile(new URL('../../../../../engine/cli/main.ts', import.meta.url), 'utf8')
  t.equal(source.split('\n', 1)[0], `#!/usr/bin/env -S node ${nodeFlags.join(' ')}`)
})
