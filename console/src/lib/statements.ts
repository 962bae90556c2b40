// Statements of an editor's text: cut at semicolons outside of strings, quoted names and comments.
export interface Statement {
  text: string
  from: number
  to: number
}

export function statements(source: string): Statement[] {
  const out: Statement[] = []
  let begin = 0
  let i = 0
  const skipTo = (end: string, from: number) => {
    const at = source.indexOf(end, from)
    return at < 0 ? source.length : at + end.length
  }
  const push = (to: number) => {
    const raw = source.slice(begin, to)
    const lead = raw.length - raw.trimStart().length
    const text = raw.trim()
    if (text) out.push({ text, from: begin + lead, to: begin + lead + text.length })
  }
  while (i < source.length) {
    const c = source[i]
    if (c === "'" || c === '"' || c === '`') i = skipTo(c, i + 1)
    else if (source.startsWith('--', i)) i = skipTo('\n', i)
    else if (source.startsWith('/*', i)) i = skipTo('*/', i)
    else if (c === ';') {
      push(i)
      begin = ++i
    } else i++
  }
  push(source.length)
  return out.filter((one) => one.text.replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, '').trim() !== '')
}

export function statementAt(source: string, position: number): Statement | null {
  const all = statements(source)
  return all.find((one) => position <= one.to) ?? all[all.length - 1] ?? null
}

// Line and column from 1, of a text that begins at `from` in the source.
export function offsetOf(text: string, line: number, column: number): number {
  let at = 0
  for (let i = 1; i < line; i++) {
    const next = text.indexOf('\n', at)
    if (next < 0) return text.length
    at = next + 1
  }
  return Math.min(at + column - 1, text.length)
}

// By its first word: enough to know whether to ask before a statement is run.
export function onlyReads(text: string): boolean {
  const first = text.replace(/^(\s|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/|\()*/, '')
  const explain = /^explain\b(\s+analyze\b)?(\s+verbose\b)?(\s*\([^)]*\))?/i.exec(first)
  if (explain) return !explain[1] || onlyReads(first.slice(explain[0].length))
  return /^(select|with|values|table|show|describe)\b/i.test(first)
}

export const quoteName = (name: string) => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`)
