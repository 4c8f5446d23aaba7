/** The operator table of the documentation, made from the declarations. */
import type { OptionSpec } from '../engine/index.js'
import type { ListedOperator } from './index.js'

/** Markdown of `docs/operators.md`. */
export function renderTable(operators: readonly ListedOperator[]): string {
  const sections = operators.map(({ declaration }) => {
    const { name, summary, options, drops = [], rejects = [], cost } = declaration
    return [
      `## ${name}`,
      summary,
      [
        '| option | kind | default | meaning |',
        '| --- | --- | --- | --- |',
        ...Object.entries(options).map(([option, spec]) => row([`\`${option}\``, spec.kind, fallback(spec), spec.doc])),
      ].join('\n'),
      [`- Drops for: ${reasons(drops)}`, `- Rejects for: ${reasons(rejects)}`, `- Cost: ${cost}`].join('\n'),
    ].join('\n\n')
  })
  return [
    '# Operators',
    'Generated from the declarations in `operators/` by `npm run docs`; do not edit. A dropped event is counted ' +
      'and gone; a rejected one goes to DEADLETTERS with its original bytes, its reason in the subject.',
    "In a definition they are written in camel case, `decodeAvro({ schemas: 'schemas' })`. A second argument names the stage, " +
      "which is needed when one operator is used twice: `filter({ keep }, 'adults_only')`. `defineOperator` makes one of " +
      'your own; `operators/drop-late.ts` is the shortest example, with `millrace` instead of its import path.',
    ...sections,
  ]
    .join('\n\n')
    .concat('\n')
}

function row(cells: readonly string[]): string {
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function fallback(spec: OptionSpec): string {
  if (spec.fallback !== undefined) return `\`${JSON.stringify(spec.fallback).replaceAll('"', '')}\``
  return spec.isOptional ? 'none' : 'required'
}

function reasons(names: readonly string[]): string {
  return names.length === 0 ? 'nothing' : names.map(name => `\`${name}\``).join(', ')
}
