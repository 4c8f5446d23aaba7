import t from 'tap'
import { barChart } from '../../../../benchmarks/report/bar-chart.js'
import { elements, parseXml } from './parse-xml.js'

const chart = {
  title: 'Throughput, shop',
  description: 'Two contenders & their rates.',
  unit: 'events/s',
  bars: [
    { name: 'Millrace', value: 80_000, range: [70_000, 100_000] as const },
    { name: 'A <naive> consumer', value: 4_000 },
  ],
}

t.test('a bar chart is well-formed and says what it shows', async t => {
  const root = parseXml(barChart(chart))
  t.match(root.attributes, { xmlns: 'http://www.w3.org/2000/svg', role: 'img', 'aria-labelledby': 'title description' })
  t.match(root.children.slice(0, 2), [
    { name: 'title', text: 'Throughput, shop', attributes: { id: 'title' } },
    { name: 'desc', text: 'Two contenders & their rates.', attributes: { id: 'description' } },
  ])
})

t.test('bars are as long as their values, from a common line that is zero', async t => {
  const [first, second] = elements(parseXml(barChart(chart)), 'rect').map(({ attributes }) => attributes)
  t.equal(first!['x'], second!['x'])
  t.ok(Math.abs(Number(first!['width']) / Number(second!['width']) - 80_000 / 4_000) < 0.02)
})

t.test('a range reaches from its least to its most on the scale of the bars', async t => {
  const root = parseXml(barChart(chart))
  const [bar] = elements(root, 'rect').map(({ attributes }) => attributes)
  const [x, width] = [Number(bar!['x']), Number(bar!['width'])]
  const ranges = elements(root, 'path')
  t.equal(ranges.length, 1, 'only what has a range shows one')
  const [, from, to] = /^M([\d.]+) .*H([\d.]+)m/.exec(ranges[0]!.attributes['d']!)!
  t.ok(Math.abs(Number(from) - (x + (width * 70) / 80)) < 0.02)
  t.ok(Math.abs(Number(to) - (x + (width * 100) / 80)) < 0.02)
})

t.test('names and values stand beside the bars', async t => {
  const texts = elements(parseXml(barChart(chart)), 'text').map(({ text }) => text)
  for (const text of ['Millrace', 'A <naive> consumer', '80k', '4,000', 'events/s']) t.ok(texts.includes(text), text)
})

t.test('everything stands within the image', async t => {
  const root = parseXml(barChart({ ...chart, bars: [{ name: 'x'.repeat(200), value: 1, range: [0.5, 1] }] }))
  const [, , width, height] = root.attributes['viewBox']!.split(' ').map(Number)
  for (const { attributes } of elements(root, 'rect')) {
    t.ok(Number(attributes['x']) >= 0 && Number(attributes['x']) + Number(attributes['width']) <= width!)
    t.ok(Number(attributes['y']) >= 0 && Number(attributes['y']) + Number(attributes['height']) <= height!)
  }
})
