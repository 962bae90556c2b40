// The first rows of a CSV file's beginning (RFC 4180). A row that the beginning cuts off is left out.
export function csvRows(text: string, cut: boolean, rowsMax: number): string[][] {
  const separator = separatorOf(text)
  const rows: string[][] = []
  let row: string[] = []
  let cell = ''
  let quoted = false
  const endRow = () => {
    row.push(cell)
    if (row.length > 1 || row[0] !== '') rows.push(row)
    row = []
    cell = ''
  }
  for (let i = text.startsWith('\ufeff') ? 1 : 0; i < text.length && rows.length < rowsMax; i++) {
    const c = text[i]!
    if (quoted) {
      if (c !== '"') cell += c
      else if (text[i + 1] === '"') cell += text[++i]
      else quoted = false
    } else if (c === '"' && cell === '') quoted = true
    else if (c === separator) {
      row.push(cell)
      cell = ''
    } else if (c === '\n') endRow()
    else if (c !== '\r' || text[i + 1] !== '\n') cell += c
  }
  if (!cut && rows.length < rowsMax && (cell !== '' || row.length)) endRow()
  return rows
}

// What the first line has most of.
function separatorOf(text: string): string {
  const line = text.slice(0, text.search(/\n|$/))
  const count = (c: string) => line.split(c).length
  return [',', ';', '\t', '|'].reduce((best, c) => (count(c) > count(best) ? c : best))
}
