/** The shop's events as the consumers written by hand see them: decoded, validated, enriched. */
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import avro from 'avsc'
import { parse } from 'csv-parse/sync'
import { crc64Avro } from '../../../examples/shop/avro.js'

interface Common {
  readonly id: string
  readonly userId: string
  readonly occurredAt: number
}

export type ShopEvent = Common &
  (
    | { readonly type: 'signed_up'; readonly email: string; readonly plan: string; readonly country: string }
    | { readonly type: 'session_started' }
    | { readonly type: 'product_viewed'; readonly productId: string; readonly category?: string | undefined }
    | { readonly type: 'cart_updated'; readonly value: number }
    | { readonly type: 'checkout_completed'; readonly total: number }
  )

/** Marker C3 01 and fingerprint of single-object encoding. */
const headerBytes = 10

export class ShopDecoder {
  private constructor(
    private readonly writers: ReadonlyMap<bigint, { type: ShopEvent['type']; schema: avro.Type }>,
    private readonly categories: ReadonlyMap<string, string>,
  ) {}

  /** Reads `schemas/<type>.avsc` and `catalogue.csv`. */
  static async read(folder: string): Promise<ShopDecoder> {
    const writers = new Map<bigint, { type: ShopEvent['type']; schema: avro.Type }>()
    for (const file of (await readdir(join(folder, 'schemas'))).filter(name => name.endsWith('.avsc'))) {
      const text = await readFile(join(folder, 'schemas', file), 'utf8')
      const schema = avro.Type.forSchema(JSON.parse(text) as avro.Schema)
      const canonical = Buffer.from(JSON.stringify(schema.schema()))
      writers.set(crc64Avro(canonical), { type: file.slice(0, -'.avsc'.length) as ShopEvent['type'], schema })
    }
    const rows = parse(await readFile(join(folder, 'catalogue.csv')), { columns: true }) as Record<string, string>[]
    return new ShopDecoder(writers, new Map(rows.map(row => [row.productId!, row.category!])))
  }

  /** `undefined` when it is not exactly one record of a known schema, or one that cannot be: a negative amount. */
  decode(data: Uint8Array): ShopEvent | undefined {
    const payload = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    if (payload.length < headerBytes || payload.readUInt16BE() !== 0xc301) return undefined
    const writer = this.writers.get(payload.readBigUInt64LE(2))
    if (writer === undefined) return undefined
    let decoded
    try {
      decoded = writer.schema.decode(payload, headerBytes)
    } catch {
      return undefined // damaged
    }
    if (decoded.offset !== payload.length) return undefined
    const event = Object.assign(decoded.value as object, { type: writer.type }) as ShopEvent
    if (event.type === 'checkout_completed' && event.total < 0) return undefined
    if (event.type === 'cart_updated' && event.value < 0) return undefined
    if (event.type !== 'product_viewed') return event
    return Object.assign(event, { category: this.categories.get(event.productId) })
  }
}
