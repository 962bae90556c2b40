// What a result's rows become outside of the page.
export type Cell = unknown
export type Row = Cell[]

export function cellText(value: Cell): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  if (typeof value === 'object') return JSON.stringify(value)
  return String(value)
}

// RFC 4180. A cell that a spreadsheet would take for a formula is kept as it is: the file is data first.
export function csv(columns: string[], rows: Row[]): string {
  const quote = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const lines = [columns.map(quote).join(',')]
  for (const row of rows) lines.push(row.map((value) => quote(cellText(value))).join(','))
  return lines.join('\r\n') + '\r\n'
}

export function jsonLines(columns: string[], rows: Row[]): string {
  return rows.map((row) => JSON.stringify(Object.fromEntries(columns.map((name, i) => [name, row[i] ?? null])))).join('\n') + '\n'
}

export function tabs(columns: string[], rows: Row[]): string {
  const clean = (value: Cell) => cellText(value).replace(/[\t\r\n]+/g, ' ')
  return [columns.join('\t'), ...rows.map((row) => row.map(clean).join('\t'))].join('\n')
}

export function isNumeric(type: string): boolean {
  return /^(tinyint|smallint|integer|bigint|real|double|decimal)/.test(type)
}

export function download(name: string, type: string, content: BlobPart) {
  const url = URL.createObjectURL(new Blob([content], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
