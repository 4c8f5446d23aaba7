import t from 'tap'
import { nearest } from '../../../engine/nearest.js'

t.test('names the word that was most likely meant', async t => {
  t.equal(nearest('maxEvent', ['maxBytes', 'maxEvents']), 'maxEvents')
  t.equal(nearest('SERVERS', ['server', 'servers']), 'servers', 'case does not count')
})

t.test('names nothing when no word is near', async t => {
  t.equal(nearest('xy', ['servers']), undefined)
  t.equal(nearest('abc', ['axy']), 'axy', 'two letters may be wrong')
  t.equal(nearest('abc', ['xyz']), undefined, 'three may not')
  t.equal(nearest('any', []), undefined)
})
