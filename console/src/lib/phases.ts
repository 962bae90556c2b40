// Where a statement's time went.
import type { Query } from '../api/types'

export const isOver = (query: Pick<Query, 'state'>) => query.state === 'FINISHED' || query.state === 'FAILED'

export interface Phase {
  name: 'Queued' | 'Planning' | 'Running'
  millis: number
}

// One after the other, up to its end or, while it runs, to `now`. A statement that never got as far spends nothing there.
export function phases(query: Pick<Query, 'created_millis' | 'started_millis' | 'executing_millis' | 'ended_millis'>, now: number): Phase[] {
  const end = query.ended_millis ?? Math.max(now, query.created_millis)
  const started = query.started_millis ?? end
  const executing = query.executing_millis ?? end
  const between = (from: number, to: number) => Math.max(0, to - from)
  return [
    { name: 'Queued', millis: between(query.created_millis, started) },
    { name: 'Planning', millis: between(started, executing) },
    { name: 'Running', millis: between(executing, end) },
  ]
}
