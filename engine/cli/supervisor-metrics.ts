/**
 * The metrics pages of several processes as one, in the text format 0.0.4 of Prometheus. Every series keeps its value and gets
 * the label `replica`: what is to be added up and what is not, a query decides, as it would over several targets.
 */

export interface MetricsPage {
  readonly replica: string
  /** Of this program: each metric's `# HELP` and `# TYPE` stand before its series. */
  readonly text: string
}

interface Family {
  readonly comments: string[]
  readonly series: string[]
}

/** The series of a metric stand together, under one `# HELP` and one `# TYPE`. */
export function mergeMetrics(pages: readonly MetricsPage[]): string {
  const families = new Map<string, Family>()
  for (const { replica, text } of pages) {
    const label = `replica="${escaped(replica)}"`
    const known = new Set(families.keys())
    let family: Family = { comments: [], series: [] }
    for (const line of text.split('\n')) {
      const name = /^# (?:HELP|TYPE) (\S+)/.exec(line)?.[1]
      if (name !== undefined) {
        family = families.get(name) ?? { comments: [], series: [] }
        families.set(name, family)
        if (!known.has(name)) family.comments.push(line)
      } else if (line !== '' && !line.startsWith('#')) {
        family.series.push(labelled(line, label))
      }
    }
  }
  return [...families.values()]
    .filter(({ series }) => series.length > 0)
    .map(({ comments, series }) => [...comments, ...series, ''].join('\n'))
    .join('\n')
}

/** `name{a="b"} 1`, `name{} 1` or `name 1`; braces may stand in values of labels too, but none behind the last one. */
function labelled(line: string, label: string): string {
  const end = line.lastIndexOf('}')
  if (end < 0) return line.replace(' ', () => `{${label}} `)
  return `${line.slice(0, end)}${line[end - 1] === '{' ? '' : ','}${label}${line.slice(end)}`
}

export interface ReplicaState {
  readonly name: string
  readonly isUp: boolean
  readonly restarts: number
}

/** What only the supervisor knows. */
export function supervisorMetrics(pipeline: string, replicas: readonly ReplicaState[]): string {
  const lines = (name: string, type: string, help: string, value: (replica: ReplicaState) => number): string[] => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...replicas.map(
      replica => `${name}{pipeline="${escaped(pipeline)}",replica="${escaped(replica.name)}"} ${value(replica)}`,
    ),
    '',
  ]
  return [
    ...lines('millrace_replica_up', 'gauge', '1 while the process of the replica answers, otherwise 0.', ({ isUp }) =>
      isUp ? 1 : 0,
    ),
    ...lines(
      'millrace_replica_restarts_total',
      'counter',
      'How often the process of the replica ended and was started again.',
      ({ restarts }) => restarts,
    ),
  ].join('\n')
}

/** As the text format wants label values. */
function escaped(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')
}
