import fc from 'fast-check'
import t from 'tap'
import { element, textNode } from '../../../../benchmarks/report/svg.js'
import { parseXml } from './parse-xml.js'

t.test('any text comes back from an attribute and from between tags', async t => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string(), (content, value) => {
      const { text, attributes } = parseXml(element('text', { value }, textNode(content)))
      return text === content && attributes['value'] === value
    }),
  )
  t.equal(element('text', {}, textNode('a < b & "c"')), '<text>a &lt; b &amp; &quot;c&quot;</text>')
})

t.test('children stand in the order in which they are given', async t => {
  const { children } = parseXml(element('g', {}, element('line', {}), element('rect', {})))
  t.strictSame(
    children.map(({ name }) => name),
    ['line', 'rect'],
  )
})

t.test('places are written to a hundredth of a pixel', async t => {
  t.equal(element('line', { x1: 1 / 3, x2: 2 }), '<line x1="0.33" x2="2"/>')
})

t.test('a place that is not a number is refused', async t => {
  t.throws(() => element('line', { x1: NaN }), { name: 'RangeError' })
  t.throws(() => element('line', { x1: Infinity }), { name: 'RangeError' })
})
