/** What a consumer is started with: one JSON object as its only argument. */
export interface Settings {
  readonly natsUrl: string
  readonly redisUrl: string
  readonly stream: string
  /** A pull consumer that exists. */
  readonly consumer: string
  /** Holds `schemas/` and `catalogue.csv`. */
  readonly shopFolder: string
}

/** `More` is what the program that starts this one adds. */
export function readSettings<More extends Settings = Settings>(): More {
  return JSON.parse(process.argv[2]!) as More
}
