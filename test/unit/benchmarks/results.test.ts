import t from 'tap'
import { jsonOf } from '../../../benchmarks/results.js'
import { describeMachine } from '../../../benchmarks/harness/machine.js'

const machine = describeMachine()
const answers = (...names: string[]) => new Map(names.map(name => [name, { of: name }]))

t.test('the first comparison stands at the top level, every other answer under its name', async t => {
  t.strictSame(jsonOf(machine, answers('personalization', 'latency', 'yahoo')), {
    workload: 'personalization',
    of: 'personalization',
    machine,
    latency: { of: 'latency' },
    yahoo: { of: 'yahoo' },
  })
  t.strictSame(jsonOf(machine, answers('latency', 'shufflebench', 'nexmark')), {
    workload: 'shufflebench',
    of: 'shufflebench',
    machine,
    latency: { of: 'latency' },
    nexmark: { of: 'nexmark' },
  })
})

t.test('without a comparison everything stands under its name', async t => {
  t.strictSame(jsonOf(machine, answers('micro')), { machine, micro: { of: 'micro' } })
})
