import '@xyflow/react/dist/style.css'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Handle, Position, ReactFlow, type Edge, type Node, type NodeProps } from '@xyflow/react'
import { useMemo } from 'react'
import { address, call } from '../api/client'
import { useLive } from '../api/live'
import type { Overview } from '../api/types'
import { ago, bytes, count, duration, plural, short } from '../lib/format'
import { useSession } from '../lib/session'
import { theme } from '../lib/theme'
import { Icon, type IconName } from '../ui/icons'
import { Head, Page, Tile } from '../ui/page'
import { Badge, Copy, Empty, Loaded, StateBadge } from '../ui/parts'

type FlowNode = Node<{ kind: string; icon: IconName; name: string; figures: string; to: string; tone?: string }, 'flow'>

function FlowBox({ data }: NodeProps<FlowNode>) {
  return (
    <Link to={data.to} className="fnode nodrag">
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <span className="kind">
        <Icon name={data.icon} />
        {data.kind}
        {data.tone && <span style={{ marginLeft: 'auto' }}><StateBadge state={data.tone} /></span>}
      </span>
      <b className="truncate" title={data.name}>{data.name}</b>
      <span className="figures">{data.figures}</span>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </Link>
  )
}
const nodeTypes = { flow: FlowBox }

const column = { topic: 0, job: 300, table: 600, queries: 900 }
const step = 92

export function flowOf(data: Overview): { nodes: FlowNode[]; edges: Edge[] } {
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

function Flow({ data }: { data: Overview }) {
  const flow = useMemo(() => flowOf(data), [data])
  return (
    <section className="card" aria-label="Data flow">
      <header>
        <h2 className="grow">Data flow</h2>
        <span className="muted hide-phone">topics → jobs → tables → queries</span>
      </header>
      {data.topics_total === 0 && data.jobs.length === 0 ? (
        <Empty icon="events" title="Nothing flows yet" action={<><Link className="button" to="/events">Create a topic</Link><Link className="button" to="/sql">Write SQL</Link></>}>
          Send events to a topic, let a job write them into a table, and watch them here.
        </Empty>
      ) : (
        <div className="flow" style={{ height: Math.min(440, Math.max(170, 90 + step * Math.max(data.topics.length, data.jobs.length, data.tables.length))) }}>
          <ReactFlow
            nodes={flow.nodes}
            edges={flow.edges}
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
        </div>
      )}
    </section>
  )
}

export function OverviewPage() {
  const client = useQueryClient()
  const session = useSession()
  const query = useQuery({ queryKey: ['overview'], queryFn: () => call('getOverview') })
  const live = useLive<Overview>(address('streamOverview'), 'overview', (data) => client.setQueryData(['overview'], data))
  return (
    <Page>
      <Head title="Overview" badge={<Badge tone={live ? 'good' : ''}>{live ? 'live' : 'connecting'}</Badge>} />
      <Loaded query={query}>
        {(data) => (
          <>
            <div className="tiles">
              <Tile label="Events" value={`${short(data.messages_rate)}/s`} note={plural(data.topics_total, 'topic')} />
              <Tile label="Consumer groups" value={count(data.groups_total)} />
              <Tile label="Jobs" value={count(data.jobs.filter((job) => job.state === 'RUNNING').length)} note="running" />
              <Tile label="Queries" value={count(data.queries_running)} note={data.queries_failed ? `${count(data.queries_failed)} failed lately` : 'running'} />
              <Tile label="Memory" value={bytes(data.memory_bytes)} note="of the process" />
              <Tile label="Up" value={duration(data.uptime_seconds * 1000)} note={`version ${data.version}`} />
            </div>
            <Flow data={data} />
            <div className="tiles" style={{ gridTemplateColumns: 'repeat(auto-fit, minmax(min(100%, 350px), 1fr))' }}>
              <section className="card scroll" tabIndex={0}>
                <header>
                  <h2 className="grow">Needs a look</h2>
                </header>
                {data.troubles.length === 0 ? (
                  <div className="body row muted"><Icon name="check" /> Nothing went wrong.</div>
                ) : (
                  <table className="table">
                    <tbody>
                      {data.troubles.map((trouble) => (
                        <tr key={trouble.text}>
                          <td><Badge tone={trouble.level === 'error' ? 'bad' : 'warn'}>{trouble.level}</Badge></td>
                          <td><Link to={trouble.link}>{trouble.text}</Link></td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                )}
              </section>
              <section className="card scroll" tabIndex={0}>
                <header>
                  <h2 className="grow">Drives</h2>
                  <span className="muted">any two may be lost</span>
                </header>
                <table className="table">
                  <tbody>
                    {data.drives.map((drive, i) => (
                      <tr key={drive.path}>
                        <td>Drive {i + 1}</td>
                        <td className="truncate muted hide-phone" title={drive.path}>{drive.path.split('/').slice(-2).join('/')}</td>
                        <td className="right">{drive.online ? `${bytes(drive.free_bytes)} free` : drive.problem}</td>
                        <td className="right"><Badge tone={!drive.online ? 'bad' : drive.healing_objects ? 'warn' : 'good'}>{!drive.online ? 'away' : drive.healing_objects ? 'heals' : 'online'}</Badge></td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </section>
              <section className="card scroll" tabIndex={0}>
                <header>
                  <h2 className="grow">Services</h2>
                </header>
                <table className="table">
                  <tbody>
                    {session.addresses.map((one) => (
                      <tr key={one.name}>
                        <td>
                          {one.title}
                          <div className="mono muted" style={{ overflowWrap: 'anywhere' }}>{one.address}</div>
                        </td>
                        <td className="right"><Copy text={one.address} label={`Copy the address of ${one.title}`} /></td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </section>
            </div>
          </>
        )}
      </Loaded>
    </Page>
  )
}
