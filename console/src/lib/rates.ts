// How fast a job's operators are: from looks at their counts, which rise by whole epochs.
import type { JobOperator } from '../api/types'

export interface Look {
  at: number // milliseconds
  operators: JobOperator[]
}
export interface Speed {
  records: number // a second, that reached it
  bytes: number | null
}

const windowMillis = 10_000

// Keeps the looks of the last seconds. Counts that fell are those of another process: what was before is forgotten.
export function look(before: Look[], now: Look): Look[] {
  const last = before.at(-1)
  if (last && last.at >= now.at) return before
  const fell = last && now.operators.some((one) => one.records_in < (last.operators.find((old) => old.id === one.id)?.records_in ?? 0))
  const kept = fell ? [] : before.filter((one) => now.at - one.at <= windowMillis)
  return [...kept, now]
}

// None until there are two looks.
export function speeds(looks: Look[]): Record<string, Speed> {
  const first = looks[0]
  const last = looks.at(-1)
  if (!first || !last || last.at <= first.at) return {}
  const seconds = (last.at - first.at) / 1000
  const out: Record<string, Speed> = {}
  for (const now of last.operators) {
    const then = first.operators.find((one) => one.id === now.id)
    if (!then) continue
    const sizes = [now.bytes_in ?? now.bytes_out, then.bytes_in ?? then.bytes_out]
    out[now.id] = {
      records: (now.records_in - then.records_in) / seconds,
      bytes: sizes.some((one) => one === undefined || one === null) ? null : (sizes[0]! - sizes[1]!) / seconds,
    }
  }
  return out
}
