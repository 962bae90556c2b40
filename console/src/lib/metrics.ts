// Prometheus' text format, without the buckets of histograms.
export interface Metric {
  name: string
  labels: string
  value: number
  help: string
}

export function parseMetrics(text: string): Metric[] {
  const help = new Map<string, string>()
  const out: Metric[] = []
  for (const line of text.split('\n')) {
    const about = line.match(/^# HELP (\S+) (.*)$/)
    if (about) help.set(about[1]!, about[2]!)
    const row = line.match(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/)
    if (!row || line.startsWith('#') || row[1]!.endsWith('_bucket')) continue
    const family = row[1]!.replace(/_(sum|count)$/, '')
    out.push({ name: row[1]!, labels: row[2] ?? '', value: Number(row[3]), help: help.get(row[1]!) ?? help.get(family) ?? '' })
  }
  return out
}
