import t from 'tap'
import { ink, palette, shapes } from '../../../../benchmarks/report/theme.js'

/** Relative luminance and contrast as WCAG 2.2 defines them. */
function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map(at => {
    const share = parseInt(colour.slice(at, at + 2), 16) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
}

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (light! + 0.05) / (dark! + 0.05)
}

const pages = { white: '#ffffff', dark: '#0d1117' }

for (const [name, page] of Object.entries(pages)) {
  t.test(`on a ${name} page text has a contrast of 4 and every series of 3`, async t => {
    t.ok(contrast(ink, page) >= 4, `${contrast(ink, page)}`)
    for (const colour of palette) t.ok(contrast(colour, page) >= 3, `${colour} ${contrast(colour, page)}`)
  })
}

t.test('no two series look the same before every colour has met another shape', async t => {
  t.equal(new Set(palette).size, palette.length)
  t.equal(new Set(shapes).size, shapes.length)
})
