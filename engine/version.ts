/** Compares dotted versions by number: `isAtLeast('2.10.0', '2.9.10')`. */
export function isAtLeast(version: string, least: string): boolean {
  const have = version.split('.').map(Number)
  for (const [index, wanted] of least.split('.').map(Number).entries()) {
    const part = have[index] ?? 0
    if (part !== wanted) return part > wanted
  }
  return true
}
