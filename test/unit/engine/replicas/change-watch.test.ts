import { test } from 'tap'
import { ChangeWatch } from '../../../../engine/replicas/change-watch.js'

test('says for how long a value has been seen unchanged', async t => {
  const watch = new ChangeWatch<string>(100)
  const seen = (now: number, value: string) => {
    watch.look(now)
    return watch.stillFor('a', value, now)
  }
  t.equal(seen(0, '1'), 0, 'a first look proves nothing')
  t.equal(seen(60, '1'), 60)
  t.equal(seen(160, '1'), 160)
  t.equal(seen(200, '2'), 0, 'it moved')
  t.equal(seen(250, '2'), 50)
})

test('what happened in a gap between looks is not known', async t => {
  const watch = new ChangeWatch<string>(100)
  watch.look(0)
  watch.stillFor('a', '1', 0)
  watch.look(100)
  t.equal(watch.stillFor('a', '1', 100), 100, 'no gap yet')
  watch.look(201)
  t.equal(watch.stillFor('a', '1', 201), 0)
})

test('after a look that failed, observation begins anew', async t => {
  const watch = new ChangeWatch<string>(100)
  watch.look(0)
  watch.stillFor('a', '1', 0)
  watch.forget()
  watch.look(50)
  t.equal(watch.stillFor('a', '1', 50), 0)
})
