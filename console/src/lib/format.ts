const whole = new Intl.NumberFormat('en-US')
export const count = (value: number) => whole.format(value)

export function short(value: number): string {
  if (Math.abs(value) < 10_000) return whole.format(Math.round(value * 10) / 10)
  for (const [size, unit] of [[1e12, 'T'], [1e9, 'B'], [1e6, 'M'], [1e3, 'k']] as const) {
    if (Math.abs(value) >= size) return `${(value / size).toFixed(value / size < 10 ? 2 : 1)}${unit}`
  }
  return String(value)
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`
  let unit = -1
  while (value >= 1024 && unit < 4) {
    value /= 1024
    unit++
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${['KB', 'MB', 'GB', 'TB', 'PB'][unit]}`
}

export function duration(millis: number): string {
  if (millis < 1000) return `${Math.round(millis)} ms`
  const seconds = millis / 1000
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`
}

export function ago(millis: number, now = Date.now()): string {
  const past = Math.max(0, now - millis)
  if (past < 1500) return 'now'
  if (past < 60_000) return `${Math.round(past / 1000)} s ago`
  if (past < 3_600_000) return `${Math.round(past / 60_000)} min ago`
  if (past < 86_400_000) return `${Math.round(past / 3_600_000)} h ago`
  return day(millis)
}

const pad = (value: number, width = 2) => String(value).padStart(width, '0')
export function day(millis: number): string {
  const d = new Date(millis)
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`
}
export function time(millis: number): string {
  const d = new Date(millis)
  return `${day(millis)} ${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`
}
export function preciseTime(millis: number): string {
  return `${time(millis)}.${pad(new Date(millis).getMilliseconds(), 3)}`
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}

// Base64 to the classic view: offset, hexadecimal, characters.
export function hexDump(base64: string, bytesMax = 16_384): string {
  const raw = atob(base64)
  const lines: string[] = []
  for (let at = 0; at < Math.min(raw.length, bytesMax); at += 16) {
    const row = Array.from(raw.slice(at, at + 16), (c) => c.charCodeAt(0))
    const hex = row.map((b) => b.toString(16).padStart(2, '0')).join(' ')
    const text = row.map((b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : '·')).join('')
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(47)}  ${text}`)
  }
  if (raw.length > bytesMax) lines.push(`… ${count(raw.length - bytesMax)} more bytes`)
  return lines.join('\n')
}
