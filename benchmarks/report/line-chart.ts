/** Curves: one line a series, in one or several panels side by side that share the legend. */
import {
  chartWidth,
  drawing,
  headingHeight,
  horizontalAxis,
  legend,
  marker,
  verticalAxis,
  type Plane,
} from './drawing.js'
import { compact, linearScale, logScale, type Range, type Scale } from './scale.js'
import { element, textNode } from './svg.js'
import { colourOf } from './theme.js'

export interface Axis {
  /** What is measured, with its unit. */
  readonly name: string
  readonly kind: 'linear' | 'logarithmic'
}

export interface Series {
  readonly name: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

export interface Panel {
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
}

export interface LineChart {
  readonly title: string
  readonly description: string
  readonly panels: readonly Panel[]
}

const panelHeight = 250
const panelGap = 26
const leftOfPlane = 48
const abovePlane = 26
const belowPlane = 46
/** More labels than this would touch each other. */
const ticksInPanel = 5

/** Series of the same name look the same in all panels. A value of zero or less has no place on a logarithmic axis and is left out. */
export function lineChart({ title, description, panels }: LineChart): string {
  const names = [...new Set(panels.flatMap(panel => panel.series.map(({ name }) => name)))]
  const key = names.length > 1 ? legend(names, headingHeight) : { svg: '', height: 0 }
  const top = headingHeight + key.height + abovePlane
  const width = (chartWidth - panelGap * (panels.length - 1)) / panels.length
  const drawn = panels.map((panel, index) => {
    const start = index * (width + panelGap)
    const plane = { left: start + leftOfPlane, right: start + width - 12, top, bottom: top + panelHeight }
    return drawPanel(panel, plane, names)
  })
  return drawing(title, description, top + panelHeight + belowPlane, key.svg, ...drawn)
}

function drawPanel({ x, y, series }: Panel, plane: Plane, names: readonly string[]): string {
  const shown = series.map(({ name, points }) => ({
    name,
    points: points.filter(point => isShown(x, point.x) && isShown(y, point.y)).sort((a, b) => a.x - b.x),
  }))
  const all = shown.flatMap(({ points }) => points)
  if (all.length === 0) return ''
  const across = scaleOf(x, unique(all, 'x'), [plane.left, plane.right])
  const up = scaleOf(y, unique(all, 'y'), [plane.bottom, plane.top])
  const lines = shown.map(({ name, points }) => drawSeries(name, names.indexOf(name), points, across, up))
  return (
    horizontalAxis(across, ticksOf(across, unique(all, 'x')), x.name, plane) +
    verticalAxis(up, y.name, plane) +
    lines.join('')
  )
}

function drawSeries(name: string, index: number, points: Series['points'], across: Scale, up: Scale): string {
  const places = points.map(({ x, y }) => [across.at(x), up.at(y)] as const)
  const path = places.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join(' ')
  const line = { points: path, fill: 'none', stroke: colourOf(index), 'stroke-width': 2, 'stroke-linejoin': 'round' }
  const markers = places.map(([x, y], at) => {
    const point = points[at]!
    const words = `${name}: ${compact(point.y)} at ${compact(point.x)}`
    return marker(index, x, y, element('title', {}, textNode(words)))
  })
  return element('polyline', line) + markers.join('')
}

function isShown({ kind }: Axis, value: number): boolean {
  return Number.isFinite(value) && (kind === 'linear' ? value >= 0 : value > 0)
}

function unique(points: Series['points'], side: 'x' | 'y'): number[] {
  return [...new Set(points.map(point => point[side]))].sort((a, b) => a - b)
}

function scaleOf({ kind }: Axis, values: readonly number[], range: Range): Scale {
  return kind === 'linear' ? linearScale(Math.max(...values), range) : logScale(values, range)
}

/** Where something was measured, when these are few; the reader then sees at once what is a point and what is a line. */
function ticksOf({ ticks }: Scale, measured: readonly number[]): readonly number[] {
  if (measured.length <= ticksInPanel) return measured
  const every = Math.ceil(ticks.length / ticksInPanel)
  return ticks.filter((_, at) => at % every === 0)
}
