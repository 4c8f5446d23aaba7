import t from 'tap'
import { hash32 } from '../../../../profiles/hash.js'
import { addHash, emptyRegisters, estimate, mergeRegisters } from '../../../../profiles/traits/hyperloglog.js'

function registersOf(from: number, to: number): Buffer {
  const registers = emptyRegisters()
  for (let i = from; i < to; i++) addHash(registers, hash32(`user-${i}`))
  return registers
}

t.test('nothing is estimated as nothing', async t => {
  t.equal(estimate(emptyRegisters()), 0)
})

t.test('estimates stay within the standard error of 2.3 % on average', async t => {
  for (const size of [100, 1_000, 5_000, 20_000, 100_000]) {
    const trials = size > 10_000 ? 10 : 40
    let squares = 0
    for (let trial = 0; trial < trials; trial++) {
      const from = trial * size + size
      squares += ((estimate(registersOf(from, from + size)) - size) / size) ** 2
    }
    // Twice the standard error leaves room for the few trials.
    t.ok(Math.sqrt(squares / trials) < 0.046, `${size}: ${Math.sqrt(squares / trials)}`)
  }
})

t.test('merging gives the registers of the union', async t => {
  const merged = registersOf(0, 700)
  mergeRegisters(merged, registersOf(300, 1500))
  t.strictSame(merged, registersOf(0, 1500))
})
