// The flow of data as a graph: topics, jobs, tables, queries.
import '@xyflow/react/dist/style.css'
import { Link } from '@tanstack/react-router'
import { Handle, Position, ReactFlow, type Edge, type Node, type NodeProps } from '@xyflow/react'
import { useMemo } from 'react'
import type { Overview } from '../api/types'
import { ago, count, short } from '../lib/format'
import { theme } from '../lib/theme'
import { Icon, type IconName } from './icons'
import { StateBadge } from './parts'

// figures: a line each. Without an address it is no link.
export type FlowNode = Node<{ kind: string; icon: IconName; name: string; figures: string; to?: string; tone?: string }, 'flow'>

function FlowBox({ data }: NodeProps<FlowNode>) {
  const inside = (
    <>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <span className="kind">
        <Icon name={data.icon} />
        {data.kind}
        {data.tone && <span style={{ marginLeft: 'auto' }}><StateBadge state={data.tone} /></span>}
      </span>
      <b className="truncate" title={data.name}>{data.name}</b>
      <span className="figures">{data.figures}</span>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </>
  )
  return data.to ? <Link to={data.to} className="fnode nodrag">{inside}</Link> : <div className="fnode nodrag">{inside}</div>
}
const nodeTypes = { flow: FlowBox }

const column = { topic: 0, job: 300, table: 600, queries: 900 }
const step = 92

function flowOf(data: Overview): { nodes: FlowNode[]; edges: Edge[] } {
  const nodes: FlowNode[] = []
  const edges: Edge[] = []
  const at = (kind: keyof typeof column, index: number) => ({ x: column[kind], y: index * step })
  data.topics.forEach((topic, i) => {
    nodes.push({ id: `topic ${topic.name}`, type: 'flow', position: at('topic', i), data: { kind: 'topic', icon: 'events', name: topic.name, figures: `${short(topic.messages)} messages · ${short(topic.rate)}/s`, to: `/events/topics/${encodeURIComponent(topic.name)}` } })
  })
  data.jobs.forEach((job, i) => {
    nodes.push({ id: `job ${job.id}`, type: 'flow', position: at('job', i), data: { kind: 'job', icon: 'jobs', name: job.name, figures: `${short(job.rate)}/s · ${short(job.lag)} behind`, to: `/jobs/${job.id}`, tone: job.state } })
    for (const topic of job.topics) {
      edges.push({ id: `${topic} ${job.id}`, source: `topic ${topic}`, target: `job ${job.id}`, label: job.lag > 0 ? `lag ${short(job.lag)}` : '', animated: job.rate > 0 })
    }
    edges.push({ id: `${job.id} ${job.table}`, source: `job ${job.id}`, target: `table ${job.table}`, label: job.rate > 0 ? `${short(job.rate)}/s` : '', animated: job.rate > 0 })
  })
  data.tables.forEach((table, i) => {
    const [schema = '', name = ''] = table.name.split(/\.(?=[^.]*$)/)
    const rows = table.rows === undefined || table.rows === null ? '' : `${short(table.rows)} rows · `
    nodes.push({ id: `table ${table.name}`, type: 'flow', position: at('table', i), data: { kind: 'table', icon: 'table', name: table.name, figures: `${rows}${ago(table.updated_millis, data.now_millis)}`, to: `/catalog/iceberg/${encodeURIComponent(schema)}/${encodeURIComponent(name)}` } })
    edges.push({ id: `${table.name} queries`, source: `table ${table.name}`, target: 'queries', animated: data.queries_running > 0 })
  })
  nodes.push({ id: 'queries', type: 'flow', position: at('queries', 0), data: { kind: 'queries', icon: 'sql', name: 'SQL', figures: `${count(data.queries_running)} running`, to: '/sql' } })
  return { nodes, edges }
}

export function FlowGraph({ data }: { data: Overview }) {
  const flow = useMemo(() => flowOf(data), [data])
  return <FlowCanvas {...flow} />
}

export function FlowCanvas({ nodes, edges }: { nodes: FlowNode[]; edges: Edge[] }) {
  return (
    <ReactFlow
      nodes={nodes}
      edges={edges}
      nodeTypes={nodeTypes}
      colorMode={theme()}
      fitView
      fitViewOptions={{ padding: 0.12, maxZoom: 1 }}
      minZoom={0.2}
      maxZoom={1.4}
      nodesDraggable={false}
      nodesConnectable={false}
      nodesFocusable={false}
      edgesFocusable={false}
      elementsSelectable={false}
      preventScrolling={false}
      zoomOnScroll={false}
    />
  )
}
