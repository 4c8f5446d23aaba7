import t from 'tap'
import { lineChart, type Panel } from '../../../../benchmarks/report/line-chart.js'
import { elements, parseXml, type XmlElement } from './parse-xml.js'

const panel: Panel = {
  x: { name: 'events/s', kind: 'linear' },
  y: { name: 'p99, ms', kind: 'logarithmic' },
  series: [
    {
      name: 'Millrace',
      points: [
        { x: 10_000, y: 10 },
        { x: 5_000, y: 1 },
      ],
    },
    { name: 'other', points: [{ x: 10_000, y: 1_000 }] },
  ],
}
const chart = { title: 'Latency over load', description: 'Two curves.', panels: [panel] }

const points = (line: XmlElement) =>
  line.attributes['points']!.split(' ').map(pair => pair.split(',').map(Number) as [number, number])

t.test('a line chart is well-formed and says what it shows', async t => {
  const root = parseXml(lineChart(chart))
  t.match(root.attributes, { role: 'img', 'aria-labelledby': 'title description' })
  t.match(root.children.slice(0, 2), [
    { name: 'title', text: 'Latency over load' },
    { name: 'desc', text: 'Two curves.' },
  ])
})

t.test('points stand where their values belong: even steps to the right, equal factors up', async t => {
  const [line, other] = elements(parseXml(lineChart(chart)), 'polyline').map(points)
  const [[x5, y1], [x10, y10]] = line as [[number, number], [number, number]]
  const [[otherX, y1000]] = other as [[number, number]]
  t.equal(otherX, x10)
  t.ok(x5 < x10, 'sorted by x')
  t.ok(y10 < y1, 'more is higher')
  // One decade from 1 to 10, two from 10 to 1,000.
  t.ok(Math.abs((y10 - y1000) / (y1 - y10) - 2) < 0.01)
})

t.test('each point has a marker that says its value', async t => {
  const root = parseXml(lineChart(chart))
  const line = points(elements(root, 'polyline')[0]!)
  const markers = elements(root, 'path').filter(({ children }) => children.length > 0)
  t.equal(markers.length, 3)
  t.equal(markers[0]!.attributes['transform'], `translate(${line[0]![0]} ${line[0]![1]})`)
  t.strictSame(
    markers.map(({ children }) => children[0]!.text),
    ['Millrace: 1 at 5,000', 'Millrace: 10 at 10k', 'other: 1,000 at 10k'],
  )
})

t.test('a series has the same colour and marker in its line, its markers, the legend and every panel', async t => {
  const swapped = { ...panel, series: [...panel.series].reverse() }
  const root = parseXml(lineChart({ ...chart, panels: [panel, swapped] }))
  const [first, second, third, fourth] = elements(root, 'polyline').map(({ attributes }) => attributes['stroke'])
  t.equal(first, fourth)
  t.equal(second, third)
  t.not(first, second)
  const look = ({ attributes }: XmlElement) => `${attributes['fill']} ${attributes['d']}`
  const markers = elements(root, 'path')
  t.equal(new Set(markers.map(look)).size, 2)
  t.equal(markers.length, 2 + 3 + 3, 'the legend, and the points of both panels')
})

t.test('one series needs no legend', async t => {
  const root = parseXml(lineChart({ ...chart, panels: [{ ...panel, series: [panel.series[1]!] }] }))
  t.notOk(elements(root, 'text').some(({ text }) => text === 'other'))
})

t.test('panels stand beside each other within the image', async t => {
  const root = parseXml(lineChart({ ...chart, panels: [panel, panel, panel] }))
  const [, , width, height] = root.attributes['viewBox']!.split(' ').map(Number)
  const all = elements(root, 'polyline').flatMap(points)
  t.ok(all.every(([x, y]) => x >= 0 && x <= width! && y >= 0 && y <= height!))
  const starts = elements(root, 'polyline').flatMap(line => points(line).slice(0, 1))
  t.equal(new Set(starts.map(([x]) => x)).size, 6)
})

t.test('what has no place on a logarithmic axis is left out', async t => {
  const series = [{ name: 'a', points: [...panel.series[0]!.points, { x: 1, y: 0 }] }]
  const [line] = elements(parseXml(lineChart({ ...chart, panels: [{ ...panel, series }] })), 'polyline').map(points)
  t.equal(line!.length, 2)
})
