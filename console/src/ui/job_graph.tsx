// One job as a graph: its operators, what reached each and what left it, and how fast.
import { useMemo } from 'react'
import type { Edge } from '@xyflow/react'
import type { JobDetail, JobOperator } from '../api/types'
import { bytes, short } from '../lib/format'
import { speeds, type Look } from '../lib/rates'
import { FlowCanvas, type FlowNode } from './flow'
import type { IconName } from './icons'

const kinds: Record<string, { kind: string; icon: IconName; x: number; y: number }> = {
  source: { kind: 'source', icon: 'events', x: 0, y: 0 },
  transform: { kind: 'statement', icon: 'sql', x: 320, y: 0 },
  sink: { kind: 'sink', icon: 'table', x: 640, y: 0 },
  aside: { kind: 'put aside', icon: 'warn', x: 320, y: 150 },
}

function addressOf(one: JobOperator, topics: string[]): string | undefined {
  if (one.id === 'source') return topics.length === 1 ? `/events/topics/${encodeURIComponent(topics[0]!)}` : undefined
  if (one.id === 'transform' || (one.id === 'aside' && one.records_in === 0)) return undefined
  return `/catalog/iceberg/${one.name.split(/\.(?=[^.]*$)/).map(encodeURIComponent).join('/')}`
}

function figuresOf(one: JobOperator, lag: number): string {
  const size = one.bytes_in ?? one.bytes_out
  const parts = [`${short(one.records_in)} in`]
  if (one.id === 'source' || one.id === 'transform') parts.push(`${short(one.records_out)} out`)
  if (size !== undefined && size !== null) parts.push(bytes(size))
  if (one.files_out !== undefined && one.files_out !== null) parts.push(`${short(one.files_out)} files`)
  if (one.id === 'source') parts.push(`${short(lag)} behind`)
  return parts.join(' · ')
}

export function JobGraph({ data, looks }: { data: JobDetail; looks: Look[] }) {
  const flow = useMemo(() => {
    const rates = speeds(looks)
    const nodes: FlowNode[] = data.operators.map((one) => {
      const { x, y, kind, icon } = kinds[one.id]!
      return { id: one.id, type: 'flow', position: { x, y }, data: { kind, icon, name: one.name, figures: figuresOf(one, data.job.lag), to: addressOf(one, data.job.topics) } }
    })
    const edges: Edge[] = data.operators.filter((one) => one.input).map((one) => {
      const rate = rates[one.id]
      const label = rate ? `${short(rate.records)}/s${rate.bytes === null ? '' : ` · ${bytes(rate.bytes)}/s`}` : ''
      return { id: one.id, source: one.input!, target: one.id, label, animated: Boolean(rate && rate.records > 0) }
    })
    return { nodes, edges }
  }, [data, looks])
  return <FlowCanvas {...flow} />
}
