// A text that may be long: the browser lays out the parts in sight only.
import { memo, useMemo } from 'react'

const partLines = 60
const partLength = 8000
const lineHeight = 19
const wrapsAt = 90 // characters, about: only the scroll bar believes it

// Lines of a part once it is laid out, long ones broken.
export const linesOf = (part: string) => part.replace(/\n$/, '').split('\n').reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / wrapsAt)), 0)

// At line ends where there are some; a line that is longer than a part is cut.
export function parts(text: string): string[] {
  const out: string[] = []
  let at = 0
  while (at < text.length) {
    let end = at
    for (let line = 0; line < partLines && end < text.length; line++) {
      const next = text.indexOf('\n', end)
      const after = next < 0 ? text.length : next + 1
      if (after - at > partLength) {
        if (end === at) end = Math.min(text.length, at + partLength)
        break
      }
      end = after
    }
    // Never between the halves of one character.
    if (end < text.length && /[\uD800-\uDBFF]/.test(text[end - 1]!)) end++
    out.push(text.slice(at, end))
    at = end
  }
  return out
}

export const LongText = memo(function LongText({ text, label }: { text: string; label: string }) {
  const list = useMemo(() => parts(text), [text])
  if (list.length < 3) return <pre className="code" tabIndex={0} aria-label={label}>{text}</pre>
  return (
    <pre className="code" tabIndex={0} aria-label={label}>
      {list.map((part, i) => (
        <span key={i} className="part" style={{ containIntrinsicHeight: `auto ${lineHeight * linesOf(part)}px` }}>{part}</span>
      ))}
    </pre>
  )
})
