// Those whose name holds all letters of the text in order; names that hold them together, and early, come first.
export function rank<T>(text: string, all: T[], name: (one: T) => string): T[] {
  const wanted = text.trim().toLowerCase()
  if (!wanted) return all
  const scored: { one: T; score: number }[] = []
  for (const one of all) {
    const score = scoreOf(wanted, name(one).toLowerCase())
    if (score !== null) scored.push({ one, score })
  }
  return scored.sort((a, b) => a.score - b.score).map((row) => row.one)
}

function scoreOf(wanted: string, name: string): number | null {
  const whole = name.indexOf(wanted)
  if (whole >= 0) return whole + name.length / 1000
  let at = -1
  let gaps = 0
  for (const letter of wanted) {
    const next = name.indexOf(letter, at + 1)
    if (next < 0) return null
    if (at >= 0) gaps += next - at - 1
    at = next
  }
  return 100 + gaps + name.length / 1000
}
