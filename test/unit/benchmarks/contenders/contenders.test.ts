import t from 'tap'
import { contenders } from '../../../../benchmarks/contenders/index.js'

t.test('every contender has a name of its own that is one word', async t => {
  const names = contenders.map(({ name }) => name)
  t.equal(new Set(names).size, names.length)
  for (const name of names) t.match(name, /^[a-z_]+$/)
})

t.test('every contender says in a sentence what it guarantees, and that it has no timers', async t => {
  for (const { name, guarantee, lacks } of contenders) {
    t.match(guarantee, /^[A-Z].*\.$/, name)
    t.ok(
      lacks.some(lack => /^(cart_abandoned|everything)\b/.test(lack)),
      name,
    )
  }
})
