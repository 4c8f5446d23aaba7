/**
 * Writes the webhook payloads of the npm package `@octokit/webhooks-examples` as NDJSON to standard output: a payload a line,
 * as GitHub sends it, with the name of the event, which GitHub puts into a header, as the member `event`.
 *
 *     npx tsx examples/github/write-events.ts > events.ndjson
 */
import { createRequire } from 'node:module'

interface Examples {
  readonly name: string
  readonly examples: readonly object[]
}

// The package is a JSON file, which Node 20 imports only with a warning.
const kinds = createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly Examples[]

for (const { name, examples } of kinds) {
  for (const payload of examples) process.stdout.write(`${JSON.stringify({ event: name, ...payload })}\n`)
}
