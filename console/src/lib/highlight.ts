export interface Part {
  text: string
  hit: boolean
}
// The text cut at each place that holds the words looked for.
export function highlight(text: string, search: string): Part[] {
  if (!search) return [{ text, hit: false }]
  const out: Part[] = []
  let at = 0
  for (let next = text.indexOf(search); next >= 0; next = text.indexOf(search, at)) {
    if (next > at) out.push({ text: text.slice(at, next), hit: false })
    out.push({ text: search, hit: true })
    at = next + search.length
  }
  if (at < text.length) out.push({ text: text.slice(at), hit: false })
  return out
}
