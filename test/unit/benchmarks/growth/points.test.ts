import t from 'tap'
import { points } from '../../../../benchmarks/growth/points.js'
import { loadPipeline } from '../../../../engine/load-pipeline.js'

t.test('each curve grows from point to point', async t => {
  const sizes = (curve: string) => points.filter(point => point.curve === curve).map(({ size }) => size)
  t.strictSame(sizes('users'), [10_000, 100_000, 1_000_000, 5_000_000])
  t.strictSame(sizes('partitions'), [1, 16, 64])
  t.strictSame(sizes('traits'), [5, 20, 50])
})

t.test('a point is what it is named after, and nothing else differs', async t => {
  for (const { curve, size, workload, users, isPopulated } of points) {
    const { pipeline } = await loadPipeline(workload.pipelineFile)
    const name = `${size} ${curve}`
    t.equal(pipeline.partitions, curve === 'partitions' ? size : 16, name)
    t.equal(workload.partitions, pipeline.partitions, name)
    t.equal(pipeline.profile.model().traits.length, curve === 'traits' ? size : 10, name)
    t.equal(users, curve === 'users' ? size : 100_000, name)
    t.equal(isPopulated, curve === 'users', name)
  }
})
