import { test } from 'tap'
import { Queue } from '../../../engine/queue.js'

test('what went in first comes out first, however many pass through', async t => {
  const queue = new Queue<number>()
  let [given, taken] = [0, 0]
  for (let round = 0; round < 5_000; round++) {
    for (let i = 0; i <= round % 3; i++) queue.push(given++)
    const expected = taken < given ? taken++ : undefined
    if (queue.shift() !== expected) return t.fail(`round ${round}: not ${expected}`)
    if (queue.size !== given - taken) return t.fail(`round ${round}: ${queue.size} left, not ${given - taken}`)
  }
  t.equal(queue.at(0), taken)
  t.equal(queue.at(queue.size - 1), given - 1)
  t.equal(queue.at(queue.size), undefined)
})

test('an empty queue gives nothing, and goes on', async t => {
  const queue = new Queue<string>()
  t.equal(queue.shift(), undefined)
  t.equal(queue.size, 0)
  queue.push('a')
  t.equal(queue.shift(), 'a')
  t.equal(queue.shift(), undefined)
  queue.push('b')
  t.equal(queue.at(0), 'b')
})
