import { test } from 'tap'
import { crc64Avro } from '../../../../examples/shop/avro.js'

// From the test data that the Apache Avro project shares between its languages (share/test/data/schema-tests.txt).
const vectors = {
  '"null"': 7195948357588979594n,
  '"boolean"': -6970731678124411036n,
  '"int"': 8247732601305521295n,
  '"long"': -3434872931120570953n,
  '"string"': -8142146995180207161n,
  '{"name":"foo","type":"fixed","size":15}': 1756455273707447556n,
}

test('fingerprints are those of the Avro project', t => {
  for (const [canonicalForm, fingerprint] of Object.entries(vectors)) {
    t.equal(BigInt.asIntN(64, crc64Avro(Buffer.from(canonicalForm))), fingerprint, canonicalForm)
  }
  t.end()
})
