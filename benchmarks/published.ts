/**
 * Figures that others have published for workloads like these. Kafka Streams and Flink cannot read JetStream, so they are not
 * measured here. Each was read in the source that is named; what could not be read is not in the list.
 */
import type { PublishedFigure } from './report/sections/published.js'

const nexmark = 'github.com/nexmark/nexmark, README'
const nexmarkNote =
  'Flink 1.13, 8 task managers of one slot, RocksDB, checkpoints every 3 minutes; events come from a generator in the job and ' +
  'results are thrown away, so no broker and no store is in the figure. The README divides by the cores that were busy.'
const grier = 'data-artisans.com, "Extending the Yahoo! Streaming Benchmark"'
const armbrust = 'Armbrust et al., "Structured Streaming", SIGMOD 2018, doi.org/10.1145/3183713.3190664'
const armbrustNote =
  'By the authors of a competitor, on five machines. Read in a retelling of the paper that states these figures; the abstract ' +
  'confirms the ratios to Spark (2 and 90).'

/** In the order in which they are shown. */
export const published: readonly PublishedFigure[] = [
  {
    system: 'Flink',
    workload: 'Yahoo, windows written to Redis every second',
    figure: '3,000,000',
    unit: 'events/s',
    perCore: '75,000 of 40 cores with hyper-threading',
    source: grier,
    date: '2016-02-02',
    note: 'Flink 0.10 on ten machines; the network to Kafka was full at this rate. Exactly once for the counts.',
  },
  {
    system: 'Flink',
    workload: 'Yahoo, windows written to Redis every second',
    figure: '15,000,000',
    unit: 'events/s',
    perCore: '375,000 of 40 cores with hyper-threading',
    source: grier,
    date: '2016-02-02',
    note: 'The same without Kafka: a generator in the job, then map and filter, then the window.',
  },
  {
    system: 'Flink',
    workload: 'Yahoo',
    figure: '33,000,000',
    unit: 'records/s',
    perCore: '825,000 of 40 cores',
    source: armbrust,
    date: '2018-05-27',
    note: armbrustNote,
  },
  {
    system: 'Kafka Streams',
    workload: 'Yahoo',
    figure: '700,000',
    unit: 'records/s',
    perCore: '17,500 of 40 cores',
    source: armbrust,
    date: '2018-05-27',
    note: armbrustNote,
  },
  nexmarkFigure('q0, pass', '155,020'),
  nexmarkFigure('q2, selection', '175,210'),
  nexmarkFigure('q18, last bid', '53,700'),
]

function nexmarkFigure(query: string, perCore: string): PublishedFigure {
  return {
    system: 'Flink',
    workload: `Nexmark ${query}`,
    figure: perCore,
    unit: 'events/s for each core',
    perCore,
    source: nexmark,
    date: 'undated',
    note: nexmarkNote,
  }
}
