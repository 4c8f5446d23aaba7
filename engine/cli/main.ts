#!/usr/bin/env -S node --max-semi-space-size=32 --initial-old-space-size=160 --v8-pool-size=1
/** The program. What it is made of is loaded only by the process that does the work. */
import { isInit, runAsChild } from './init.js'

const run = isInit ? runAsChild : (await import('./composition-root.js')).main
// A failed start may leave handles open; they must not keep the process.
process.exit(await run())
