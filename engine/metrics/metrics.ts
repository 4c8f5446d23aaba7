/**
 * The numbers that Prometheus reads. The engine adds to plain fields and typed arrays once per batch; text is made at a
 * scrape. The only file that imports `prom-client`, which renders the page and adds what it knows about the process: its own
 * counters and histograms cost too much per event.
 */
import { collectDefaultMetrics, Registry, type Metric } from 'prom-client'
import { codesOf } from '../errors.js'
import type { ProfileModel } from '../model.js'
import type { StageDefinition } from '../operator.js'
import { profileStage } from '../outcome.js'
import { Family, histogramSeries, type Labels, type Series } from './family.js'
import { Histogram } from './histogram.js'
import { metricTable, type MetricDeclaration, type MetricName } from './table.js'

/** What one stage did with a batch. */
export interface StageMetrics {
  record(eventsIn: number, eventsOut: number, durationMs: number): void
}

/** What is known about a partition; a field that is left out keeps its value. */
export interface PartitionGauges {
  /** `unknown`: nobody can say now, and an old number would pass for a new one. */
  readonly pending?: number | 'unknown'
  readonly position?: number
  /** Broker's time, epoch milliseconds. */
  readonly lastEventAt?: number
  readonly outboxEntries?: number | 'unknown'
}

/** Why a trigger may be held back, whatever kind it is of. */
const suppressionReasons = ['cap', 'cooldown', 'error', 'too_many_waits']
/** What the rules of the profile reject events for; `operator_error` is the stages'. */
const profileRejects = codesOf('dead_letter').filter(code => code !== 'operator_error')

export class Metrics {
  readonly #registry = new Registry()
  readonly #families = new Map<MetricName, Family>()
  readonly #shared: Labels

  /** Observed in milliseconds, like all durations here. */
  readonly eventToProfile: Histogram
  readonly brokerToProfile: Histogram
  readonly brokerToTrigger: Histogram
  readonly foldDuration: Histogram
  readonly commitDuration: Histogram
  readonly batchEvents: Histogram

  constructor(pipeline: string, generation: number) {
    this.#shared = { pipeline, generation: String(generation) }
    for (const name of Object.keys(metricTable) as MetricName[]) {
      if (metricTable[name].type !== 'histogram') this.#family(name)
    }
    this.eventToProfile = this.#histogram('eventToProfile')
    this.brokerToProfile = this.#histogram('brokerToProfile')
    this.brokerToTrigger = this.#histogram('brokerToTrigger')
    this.foldDuration = this.#histogram('foldDuration')
    this.commitDuration = this.#histogram('commitDuration')
    this.batchEvents = this.#histogram('batchEvents')
  }

  /** Memory, CPU, event loop and garbage collection of this process join the page. Once per process. */
  collectProcess(): void {
    collectDefaultMetrics({ register: this.#registry })
  }

  /** Shows every series that the definition can lead to, at zero: a counter's first increase is else invisible to `rate`. */
  expect(
    stages: readonly Pick<StageDefinition, 'name' | 'drops' | 'rejects'>[],
    model: Pick<ProfileModel, 'triggers' | 'segments' | 'traits'>,
    outputs: readonly string[],
  ): void {
    for (const stage of stages) {
      this.stage(stage.name)
      for (const reason of stage.drops) this.dropped(stage.name, reason, 0)
      for (const reason of [...stage.rejects, 'operator_error']) this.deadLettered(stage.name, reason, 0)
    }
    for (const reason of profileRejects) this.deadLettered(profileStage, reason, 0)
    for (const reason of codesOf('halt')) this.#series('halts', reason).value += 0
    for (const stream of outputs) this.published(stream, 0, 0)
    for (const trigger of model.triggers) {
      this.triggered(trigger, 0)
      for (const reason of suppressionReasons) this.suppressed(trigger, reason, 0)
    }
    for (const trait of model.traits) this.late(trait, 0)
    for (const segment of model.segments) {
      this.segmentChanged(segment, 'entered', 0)
      this.segmentChanged(segment, 'exited', 0)
      this.segmentFailed(segment, 0)
    }
  }

  /** `hash` of the definition that this process runs. */
  definition(hash: string): void {
    this.#series('definition', hash).value = 1
  }

  /** For the life of the stage: the series are looked up here, not once per batch. */
  stage(name: string): StageMetrics {
    const given = this.#series('stageIn', name)
    const passed = this.#series('stageOut', name)
    const duration = this.#series('stageDuration', name)
    return {
      record: (eventsIn, eventsOut, durationMs) => {
        given.value += eventsIn
        passed.value += eventsOut
        duration.value += durationMs / 1000
      },
    }
  }

  eventsIn(count: number): void {
    this.#series('eventsIn').value += count
  }

  eventsApplied(count: number): void {
    this.#series('eventsApplied').value += count
  }

  dropped(stage: string, reason: string, count: number): void {
    this.#series('dropped', stage, reason).value += count
  }

  deadLettered(stage: string, reason: string, count: number): void {
    this.#series('deadLettered', stage, reason).value += count
  }

  late(trait: string, count: number): void {
    this.#series('late', trait).value += count
  }

  commitConflict(): void {
    this.#series('commitConflicts').value++
  }

  commitRetry(): void {
    this.#series('commitRetries').value++
  }

  renewalRetry(): void {
    this.#series('renewalRetries').value++
  }

  readerRestart(): void {
    this.#series('readerRestarts').value++
  }

  cache(hits: number, misses: number): void {
    this.#series('cacheHits').value += hits
    this.#series('cacheMisses').value += misses
  }

  triggered(trigger: string, count: number): void {
    this.#series('triggers', trigger).value += count
  }

  suppressed(trigger: string, reason: string, count: number): void {
    this.#series('suppressed', trigger, reason).value += count
  }

  segmentChanged(segment: string, change: 'entered' | 'exited', count: number): void {
    this.#series('segmentChanges', segment, change).value += count
  }

  segmentFailed(segment: string, count: number): void {
    this.#series('segmentErrors', segment).value += count
  }

  /** `duplicates` of the acknowledged entries were already in the stream. */
  published(stream: string, acknowledged: number, duplicates: number): void {
    this.#series('published', stream).value += acknowledged
    this.#series('publishDuplicates', stream).value += duplicates
  }

  partition(partition: number, gauges: PartitionGauges): void {
    const { pending, position, lastEventAt, outboxEntries } = gauges
    const label = String(partition)
    if (pending !== undefined) this.#gauge('pending', label, pending)
    if (position !== undefined) this.#series('position', label).value = position
    if (lastEventAt !== undefined) this.#series('lastEvent', label).value = lastEventAt / 1000
    if (outboxEntries !== undefined) this.#gauge('outboxEntries', label, outboxEntries)
  }

  connections(isNatsConnected: boolean, isRedisConnected: boolean): void {
    this.#series('natsConnected').value = Number(isNatsConnected)
    this.#series('redisConnected').value = Number(isRedisConnected)
  }

  /** This replica reports the partition from now on. */
  acquired(partition: number): void {
    this.#series('owned', String(partition)).value = 1
  }

  /** The partition stopped and waits for a person. */
  halted(partition: number, reason: string): void {
    this.#series('halted', String(partition)).value = 1
    this.#series('halts', reason).value++
  }

  /** The partition runs, for the first time or again. */
  running(partition: number): void {
    this.#series('halted', String(partition)).value = 0
  }

  /** Another replica reports the partition from now on. */
  released(partition: number): void {
    const label = String(partition)
    this.#series('owned', label).value = 0
    for (const name of ['pending', 'position', 'lastEvent', 'outboxEntries', 'halted'] as const) {
      this.#families.get(name)!.forget(label)
    }
  }

  /** To be sent with the page. */
  get contentType(): string {
    return this.#registry.contentType
  }

  /** The page that Prometheus scrapes. */
  render(): Promise<string> {
    return this.#registry.metrics()
  }

  #series(name: MetricName, ...labelValues: string[]): Series {
    return this.#families.get(name)!.series(...labelValues)
  }

  #gauge(name: MetricName, label: string, value: number | 'unknown'): void {
    if (value === 'unknown') this.#families.get(name)!.forget(label)
    else this.#series(name, label).value = value
  }

  #family(name: MetricName): void {
    const family = new Family(metricTable[name], this.#shared)
    this.#families.set(name, family)
    this.#register(metricTable[name], family, () => family.values)
  }

  #histogram(name: MetricName): Histogram {
    const declaration: MetricDeclaration = metricTable[name]
    const histogram = new Histogram(declaration.bounds ?? [])
    this.#register(declaration, histogram, () => histogramSeries(declaration, histogram, this.#shared))
    return histogram
  }

  #register({ name, help, type }: MetricDeclaration, held: { reset(): void }, values: () => readonly object[]): void {
    const metric: object = {
      name,
      help,
      type,
      get: async () => ({ name, help, type, values: values() }),
      reset: () => held.reset(),
    }
    // The registry needs a name, `get` and `reset`; its type asks for one of the library's own classes.
    this.#registry.registerMetric(metric as Metric)
  }
}
