/**
 * What the charts look like. An image in a page cannot ask for the page's colours, so each of these is readable on white and on
 * the near black of dark pages: at least 3 to 1 for lines and areas, 4 to 1 for text (WCAG 2.2, 1.4.11 and nearly 1.4.3; no
 * colour has 4.5 to 1 on both).
 */

/** Text, axes and ticks. */
export const ink = '#797979'

/** Lines behind the data. Meant to be seen just so, therefore drawn with `gridOpacity`. */
export const gridOpacity = 0.25

/** In the order in which series take them; told apart with the usual kinds of colour blindness, and by `shapes` besides. */
export const palette = ['#0f7ac6', '#d55e00', '#0b9571', '#c2649a', '#8a7a1f', '#8669d6', '#797979', '#b5564f'] as const

/** Markers of the series, in the same order: paths around 0, 0. */
export const shapes = [
  'M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z',
  'M-3.6 -3.6h7.2v7.2h-7.2Z',
  'M0 -4.8L4.6 3.6H-4.6Z',
  'M0 -5L5 0L0 5L-5 0Z',
  'M0 4.8L4.6 -3.6H-4.6Z',
  'M-5 -1.5h3.5v-3.5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5Z',
] as const

export const fontFamily = 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif'
export const fontSize = 12

/** About how wide a text of `fontSize` becomes: fonts differ, so nothing may depend on it but where the next thing starts. */
export function textWidth(text: string): number {
  return text.length * fontSize * 0.56
}

export function colourOf(index: number): string {
  return palette[index % palette.length]!
}

export function shapeOf(index: number): string {
  return shapes[index % shapes.length]!
}
