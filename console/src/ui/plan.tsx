// EXPLAIN as a graph: rows flow from the tables on the left to the output on the right.
import '@xyflow/react/dist/style.css'
import { Controls, Handle, Position, ReactFlow, type Edge, type Node, type NodeProps } from '@xyflow/react'
import { useMemo, useState } from 'react'
import type { PlanStep } from '../api/types'
import { bytes, count, plural, short } from '../lib/format'
import { layout, seconds, shares } from '../lib/plan'
import { theme } from '../lib/theme'
import { Drawer } from './parts'

type StepNode = Node<{ step: PlanStep; share: number | null; open: (step: PlanStep) => void }, 'step'>

const percent = (share: number) => `${share > 0 && share < 0.01 ? '<1' : Math.round(share * 100)}%`
const rowsOf = (step: PlanStep) =>
  step.rows !== undefined && step.rows !== null ? plural(step.rows, 'row') : step.rows_estimated !== undefined && step.rows_estimated !== null ? `about ${short(step.rows_estimated)} rows` : ''

function StepBox({ data: { step, share, open } }: NodeProps<StepNode>) {
  const about = step.id === 0 ? step.details.map((text) => text.split(' := ')[0]).join(', ') : Object.entries(step.about).map(([key, value]) => (key === 'table' ? (value ?? '').replaceAll(':', '.') : `${key}: ${value}`)).join(', ')
  return (
    <button type="button" className="fnode step nodrag nopan" data-hot={share !== null && share >= 0.25} onClick={() => open(step)}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <span className="row"><b className="truncate grow">{step.name}</b>{step.seconds !== undefined && step.seconds !== null && <span className="figures">{seconds(step.seconds)}</span>}</span>
      <span className="figures truncate" title={about}>{about || '\u00a0'}</span>
      <span className="figures row"><span className="grow truncate">{rowsOf(step)}</span>{share !== null && percent(share)}</span>
      {share !== null && <span className="share"><i style={{ width: `${share * 100}%` }} /></span>}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </button>
  )
}
const nodeTypes = { step: StepBox }

function StepDrawer({ step, share, onClose }: { step: PlanStep; share: number | null; onClose: () => void }) {
  const facts: [string, string | null | undefined][] = [
    ['Rows given on', step.rows === undefined || step.rows === null ? null : count(step.rows)],
    ['Rows estimated', step.rows_estimated === undefined || step.rows_estimated === null ? null : count(Math.round(step.rows_estimated))],
    ['Rows read', step.rows_read ? count(step.rows_read) : null],
    ['Bytes given on', step.bytes ? bytes(step.bytes) : null],
    ['Time', step.seconds === undefined || step.seconds === null ? null : `${seconds(step.seconds)} in all threads${share === null ? '' : `, ${percent(share)} of the plan`}`],
    ...Object.entries(step.about),
  ]
  return (
    <Drawer title={step.name} onClose={onClose}>
      <dl className="facts">
        {facts.map(([name, value]) => value !== null && value !== undefined && [<dt key={`k${name}`}>{name}</dt>, <dd key={`v${name}`} className="mono">{value}</dd>])}
      </dl>
      {step.details.length > 0 && <pre className="code" tabIndex={0} aria-label="Details">{step.details.join('\n')}</pre>}
    </Drawer>
  )
}

export function PlanGraph({ steps }: { steps: PlanStep[] }) {
  const [open, setOpen] = useState<PlanStep | null>(null)
  const share = useMemo(() => shares(steps), [steps])
  const { nodes, edges } = useMemo(() => {
    const places = layout(steps)
    const nodes: StepNode[] = steps.map((step, i) => ({ id: String(step.id), type: 'step', position: places[i]!, data: { step, share: share[i] ?? null, open: setOpen } }))
    const edges: Edge[] = steps.flatMap((step) => (step.parent === undefined || step.parent === null ? [] : [{ id: `e${step.id}`, source: String(step.id), target: String(step.parent), animated: false }]))
    return { nodes, edges }
  }, [steps, share])
  const chosen = open ? steps.findIndex((step) => step.id === open.id) : -1
  return (
    <div className="plan" data-testid="plan">
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        colorMode={theme()}
        fitView
        fitViewOptions={{ padding: 0.08, maxZoom: 1 }}
        minZoom={0.1}
        maxZoom={1.5}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
      >
        <Controls showInteractive={false} />
      </ReactFlow>
      {open && <StepDrawer step={open} share={share[chosen] ?? null} onClose={() => setOpen(null)} />}
    </div>
  )
}
