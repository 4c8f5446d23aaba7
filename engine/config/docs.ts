/** The page about settings, written from their declaration. */
import { settings, variableOf } from './environment.js'
import { configSchema } from './schema.js'

/** The text of `docs/configuration.md`. */
export function configurationPage(): string {
  const lines = [
    '# Configuration',
    '',
    '<!-- Generated from engine/config/schema.ts; a test compares. -->',
    '',
    'Millrace reads one YAML or JSON file, `millrace.yaml` in the working directory unless `--config` names another. Every',
    'setting has an environment variable, which wins over the file. With `_FILE` behind its name the variable holds the path of',
    'a file with the value, for mounted secrets. Unknown settings and unknown `MILLRACE_` variables are errors. Durations are',
    'written `"250ms"`, `"10s"`, `"5m"`, `"1h"`, `"7d"`, sizes `"64KB"`, `"1MB"`. Relative paths start at the folder of the file,',
    'those in variables at the working directory. In a variable, lists are separated by commas.',
    '',
    '```yaml',
    'pipeline: pipeline.ts',
    'nats:',
    '  servers: [nats-1:4222, nats-2:4222]',
    'redis:',
    '  url: redis://redis:6379',
    '```',
  ]
  let section = ''
  for (const { path, spec } of settings()) {
    const above = path.includes('.') ? path.slice(0, path.indexOf('.')) : 'Top level'
    if (above !== section) {
      section = above
      const heading = section === 'Top level' ? section : `\`${section}\``
      lines.push('', `## ${heading}`, '')
      const group = configSchema[section as keyof typeof configSchema]
      if (group !== undefined) lines.push(group.doc, '')
      lines.push('| setting | value | default | what it is | variable |', '|---|---|---|---|---|')
    }
    const fallback = spec.fallback === undefined ? '' : `\`${show(spec.fallback)}\``
    lines.push(`| \`${path}\` | ${spec.kind} | ${fallback} | ${spec.doc} | \`${variableOf(path)}\` |`)
  }
  return `${lines.join('\n')}\n`
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
