// The order of many rows by one column, made in slices: the page answers meanwhile.
import { cellText, type Cell, type Row } from './results'

const sliceMillis = 12
const runLength = 2048
const pieceLength = 8192 // what is done between two looks at the clock

type Key = number | bigint | string

// Whole numbers wider than a JavaScript number arrive as text.
const isWide = (value: Cell) => typeof value !== 'number' && /^-?[0-9]{16,}$/.test(String(value))

function keyOf(value: Cell, numeric: boolean): Key {
  if (!numeric) return cellText(value)
  return isWide(value) ? BigInt(String(value)) : Number(value)
}

// Lets others run when its slice is over. false: the work was given up.
function slices(signal: AbortSignal): () => Promise<boolean> {
  let until = performance.now() + sliceMillis
  return async () => {
    if (performance.now() >= until) {
      await new Promise((resolve) => setTimeout(resolve))
      until = performance.now() + sliceMillis
    }
    return !signal.aborted
  }
}

// Nulls come last, whichever way; equal rows stay in their order. null: the signal said to stop.
export async function orderOf(rows: Row[], column: number, numeric: boolean, down: boolean, signal: AbortSignal): Promise<Uint32Array | null> {
  const count = rows.length // more may come meanwhile
  const rest = slices(signal)
  const keys = new Array<Key>(count)
  const isNull = new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    const value = rows[i]![column]
    if (value === null || value === undefined) isNull[i] = 1
    keys[i] = isNull[i] ? 0 : keyOf(value, numeric)
    if (i % pieceLength === 0 && !(await rest())) return null
  }
  const way = down ? -1 : 1
  const compare = (a: number, b: number): number => {
    if (isNull[a] || isNull[b]) return isNull[a]! - isNull[b]! || a - b
    const left = keys[a]!
    const right = keys[b]!
    return left < right ? -way : left > right ? way : a - b
  }
  let from = Uint32Array.from({ length: count }, (_, i) => i)
  for (let at = 0; at < count; at += runLength) {
    from.subarray(at, Math.min(count, at + runLength)).sort(compare)
    if (!(await rest())) return null
  }
  let to = new Uint32Array(count)
  for (let length = runLength; length < count; length *= 2) {
    for (let at = 0; at < count; at += 2 * length) {
      const middle = Math.min(count, at + length)
      const end = Math.min(count, at + 2 * length)
      let left = at
      let right = middle
      for (let out = at; out < end; ) {
        for (const stop = Math.min(end, out + pieceLength); out < stop; out++) {
          const takeLeft = right >= end || (left < middle && compare(from[left]!, from[right]!) <= 0)
          to[out] = takeLeft ? from[left++]! : from[right++]!
        }
        if (!(await rest())) return null
      }
    }
    ;[from, to] = [to, from]
  }
  return from
}
