/** What every chart has: a frame with its name and description, a heading, a legend, axes. */
import { compact, type Scale } from './scale.js'
import { element, textNode } from './svg.js'
import { colourOf, fontFamily, fontSize, gridOpacity, ink, shapeOf, textWidth } from './theme.js'

export const chartWidth = 760
export const headingHeight = 32
const legendRowHeight = 20
const legendGap = 22

/** The whole image. `description` says in words what is to be seen, for people who hear it. */
export function drawing(title: string, description: string, height: number, ...content: readonly string[]): string {
  const frame = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${chartWidth} ${height}`,
    width: chartWidth,
    height,
    role: 'img',
    'aria-labelledby': 'title description',
    'font-family': fontFamily,
    'font-size': fontSize,
    fill: ink,
  }
  return `${element(
    'svg',
    frame,
    element('title', { id: 'title' }, textNode(title)),
    element('desc', { id: 'description' }, textNode(description)),
    label(title, 0, 18, { 'font-size': 15, 'font-weight': 600 }),
    ...content,
  )}\n`
}

/** Text with its baseline at `y`. */
export function label(text: string, x: number, y: number, attributes: Readonly<Record<string, string | number>> = {}) {
  return element('text', { x, y, ...attributes }, textNode(text))
}

/** Marker and name of each series, as many in a row as there is room for. Starts at `top`. */
export function legend(names: readonly string[], top: number): { readonly svg: string; readonly height: number } {
  let [x, row] = [0, 0]
  const entries = names.map((name, index) => {
    const width = 14 + textWidth(name)
    if (x > 0 && x + width > chartWidth) [x, row] = [0, row + 1]
    const y = top + row * legendRowHeight + legendRowHeight / 2
    const entry = marker(index, x + 6, y) + label(name, x + 16, y + 4)
    x += width + legendGap
    return entry
  })
  return { svg: entries.join(''), height: (row + 1) * legendRowHeight + 6 }
}

export function marker(series: number, x: number, y: number, ...children: readonly string[]): string {
  const place = `translate(${Number(x.toFixed(2))} ${Number(y.toFixed(2))})`
  return element('path', { d: shapeOf(series), fill: colourOf(series), transform: place }, ...children)
}

export interface Plane {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** Values at the bottom. */
export function horizontalAxis(scale: Scale, ticks: readonly number[], name: string, plane: Plane): string {
  const marks = ticks.map(tick => {
    const x = scale.at(tick)
    const line = { x1: x, x2: x, y1: plane.top, y2: plane.bottom, stroke: ink, 'stroke-opacity': gridOpacity }
    return element('line', line) + label(compact(tick), x, plane.bottom + 16, { 'text-anchor': 'middle' })
  })
  const middle = (plane.left + plane.right) / 2
  return marks.join('') + label(name, middle, plane.bottom + 34, { 'text-anchor': 'middle' })
}

/** Values at the left, the axis' name above them. */
export function verticalAxis(scale: Scale, name: string, plane: Plane): string {
  const marks = scale.ticks.map(tick => {
    const y = scale.at(tick)
    const line = { x1: plane.left, x2: plane.right, y1: y, y2: y, stroke: ink, 'stroke-opacity': gridOpacity }
    return element('line', line) + label(compact(tick), plane.left - 6, y + 4, { 'text-anchor': 'end' })
  })
  return marks.join('') + label(name, plane.left, plane.top - 10, { 'font-weight': 600 })
}
