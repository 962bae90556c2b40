import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { address, call } from '../api/client'
import { useLive } from '../api/live'
import type { Overview } from '../api/types'
import { bytes, count, duration, plural, short } from '../lib/format'
import { useSession } from '../lib/session'
import { Icon } from '../ui/icons'
import { Head, Page, Tile } from '../ui/page'
import { Badge, Copy, Empty, Loaded } from '../ui/parts'

// The graph's library is most of this page's bytes: the figures do not wait for it.
const FlowGraph = lazy(() => import('../ui/flow').then((module) => ({ default: module.FlowGraph })))
const step = 92

function Flow({ data }: { data: Overview }) {
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
          <Suspense fallback={null}><FlowGraph data={data} /></Suspense>
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
