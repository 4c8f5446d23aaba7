/** One bar a name, from zero, with the range that was measured as a line below it. */
import { chartWidth, drawing, headingHeight, horizontalAxis, label } from './drawing.js'
import { compact, linearScale } from './scale.js'
import { element, textNode } from './svg.js'
import { colourOf, ink, textWidth } from './theme.js'

export interface Bar {
  readonly name: string
  readonly value: number
  /** Least and most of all rounds. */
  readonly range?: readonly [number, number] | undefined
}

export interface BarChart {
  readonly title: string
  readonly description: string
  /** What the bars measure, with its unit. */
  readonly unit: string
  readonly bars: readonly Bar[]
}

const barHeight = 18
const barGap = 16
const belowPlane = 46
const whisker = 3
/** Room for the value behind the longest bar. */
const valueWidth = 60

export function barChart({ title, description, unit, bars }: BarChart): string {
  const left = Math.min(chartWidth / 2, Math.max(...bars.map(({ name }) => textWidth(name))) + 12)
  const top = headingHeight + 6
  const plane = { left, right: chartWidth - valueWidth, top, bottom: top + bars.length * (barHeight + barGap) }
  const most = Math.max(...bars.map(({ value, range }) => Math.max(value, range?.[1] ?? 0)))
  const scale = linearScale(most, [plane.left, plane.right])
  const drawn = bars.map(({ name, value, range }, index) => {
    const y = plane.top + index * (barHeight + barGap) + barGap / 2
    const middle = y + barHeight / 2
    const shape = { x: left, y, width: scale.at(value) - left, height: barHeight, rx: 2, fill: colourOf(index) }
    const words = element('title', {}, textNode(`${name}: ${compact(value)} ${unit}`))
    const end = Math.max(scale.at(value), scale.at(range?.[1] ?? 0))
    return (
      label(name, left - 8, middle + 4, { 'text-anchor': 'end' }) +
      element('rect', shape, words) +
      (range === undefined ? '' : drawRange(scale.at(range[0]), scale.at(range[1]), y + barHeight + 4)) +
      label(compact(value), end + 8, middle + 4)
    )
  })
  return drawing(
    title,
    description,
    plane.bottom + belowPlane,
    horizontalAxis(scale, scale.ticks, unit, plane),
    ...drawn,
  )
}

function drawRange(from: number, to: number, y: number): string {
  const d = `M${from.toFixed(2)} ${y - whisker}v${whisker * 2}M${from.toFixed(2)} ${y}H${to.toFixed(2)}m0 ${-whisker}v${whisker * 2}`
  return element('path', { d, fill: 'none', stroke: ink, 'stroke-width': 1.5 })
}
