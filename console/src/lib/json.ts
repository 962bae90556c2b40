// JSON whose whole numbers may not fit a JavaScript number: those stay text, digit by digit.
const WIDE = /[0-9]{16}/
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/g

export function parseLossless(text: string): unknown {
  if (!WIDE.test(text)) return JSON.parse(text)
  const kept = text.replace(TOKEN, (token) =>
    token.length < 16 || token[0] === '"' || /[.eE]/.test(token) || Number.isSafeInteger(Number(token)) ? token : `"${token}"`,
  )
  return JSON.parse(kept)
}

// Text as people read it: indented when it is JSON, as it is otherwise. Works on the text, so that wide numbers keep
// their digits and members their order.
export function prettyJson(text: string): string | null {
  try {
    JSON.parse(text)
  } catch {
    return null
  }
  let out = ''
  let depth = 0
  let inText = false
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    if (inText) {
      out += c
      if (c === '\\') out += text[++i] ?? ''
      else if (c === '"') inText = false
      continue
    }
    if (c === '"') {
      inText = true
      out += c
    } else if (c === '{' || c === '[') {
      let next = i + 1
      while (next < text.length && /\s/.test(text[next]!)) next++
      if (text[next] === '}' || text[next] === ']') {
        out += c + text[next]
        i = next
      } else {
        out += c + '\n' + '  '.repeat(++depth)
      }
    } else if (c === '}' || c === ']') {
      out += '\n' + '  '.repeat(--depth) + c
    } else if (c === ',') {
      out += ',\n' + '  '.repeat(depth)
    } else if (c === ':') {
      out += ': '
    } else if (!/\s/.test(c)) {
      out += c
    }
  }
  return out
}
