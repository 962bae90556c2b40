import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useState } from 'react'
import { call } from '../api/client'
import type { Job, JobDetail } from '../api/types'
import { ago, bytes, count, duration, plural, short } from '../lib/format'
import { look, speeds, type Look } from '../lib/rates'
import { quoteName } from '../lib/statements'
import { useMay } from '../lib/session'
import { Icon } from '../ui/icons'
import { Letters } from './job_letters'
import { Head, Page, Tile } from '../ui/page'
import { Badge, Button, Confirm, Copy, Empty, Loaded, ProblemNote, StateBadge, toastProblem } from '../ui/parts'

const JobGraph = lazy(() => import('../ui/job_graph').then((module) => ({ default: module.JobGraph })))

function useChange() {
  const client = useQueryClient()
  return async (action: 'pauseJob' | 'resumeJob' | 'stopJob', job: string) => {
    await call(action, { path: { job } })
    await client.invalidateQueries({ queryKey: ['jobs'] })
    await client.invalidateQueries({ queryKey: ['job', job] })
  }
}

function Actions({ job }: { job: Job }) {
  const change = useChange()
  const [stopping, setStopping] = useState(false)
  if (!useMay('operator') || job.state === 'STOPPED') return null
  return (
    <span className="row" style={{ justifyContent: 'flex-end', gap: 2 }}>
      {job.state === 'RUNNING' && <Button tone="bare" small icon="pause" onClick={() => void change('pauseJob', job.id).catch(toastProblem)}>Pause</Button>}
      {job.state !== 'RUNNING' && <Button tone="bare" small icon="play" onClick={() => void change('resumeJob', job.id).catch(toastProblem)}>Resume</Button>}
      <Button tone="bare bad" small icon="stop" onClick={() => setStopping(true)}>Stop</Button>
      {stopping && <Confirm title="Stop the job for good" about="What it has written stays. To only rest, pause it." label="Stop" onClose={() => setStopping(false)} run={() => change('stopJob', job.id)} />}
    </span>
  )
}

export function JobsPage() {
  const may = useMay('operator')
  const query = useQuery({ queryKey: ['jobs'], queryFn: () => call('listJobs'), refetchInterval: 2000 })
  return (
    <Page>
      <Head title="Jobs" badge={query.data && <Badge tone="plain">{plural(query.data.jobs.length, 'job')}</Badge>}>
        {may && <Link className="button primary" to="/jobs/new"><Icon name="plus" />New job</Link>}
      </Head>
      <Loaded query={query}>
        {(data) =>
          data.jobs.length === 0 ? (
            <Empty icon="jobs" title="No jobs" action={may && <Link className="button primary" to="/jobs/new"><Icon name="plus" />New job</Link>}>A job reads a topic and writes what its SQL makes of it into a table, each event exactly once, until it is stopped.</Empty>
          ) : (
            <section className="card scroll" tabIndex={0}>
              <table className="table">
                <thead><tr><th>Job</th><th>State</th><th className="right">Behind</th><th className="right hide-phone">Records</th><th className="right hide-phone">Put aside</th><th className="hide-phone">Since</th><th /></tr></thead>
                <tbody>
                  {data.jobs.map((job) => (
                    <tr key={job.id}>
                      <td><Link to="/jobs/$job" params={{ job: job.id }}>{job.name}</Link>{job.error && <div className="truncate" style={{ color: 'var(--bad)' }} title={job.error}>{job.error}</div>}</td>
                      <td><StateBadge state={job.state} /></td>
                      <td className="right">{count(job.lag)}</td>
                      <td className="right hide-phone">{count(job.records)}</td>
                      <td className="right hide-phone">{job.dead_records > 0 ? <Badge tone="warn">{count(job.dead_records)}</Badge> : '0'}</td>
                      <td className="hide-phone muted">{ago(job.created_millis)}</td>
                      <td><Actions job={job} /></td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </section>
          )
        }
      </Loaded>
    </Page>
  )
}

const tableLink = (table: string) => {
  const [schema = '', name = ''] = table.split(/\.(?=[^.]*$)/)
  return { catalog: 'iceberg', schema, table: name }
}
const quoted = (table: string) => ['iceberg', tableLink(table).schema, tableLink(table).table].map(quoteName).join('.')

function useLooks(data: JobDetail | undefined, at: number): Look[] {
  const [looks, setLooks] = useState<Look[]>([])
  useEffect(() => {
    if (data) setLooks((before) => look(before, { at, operators: data.operators }))
  }, [data, at])
  return looks
}

export function JobPage() {
  const { job: id } = useParams({ from: '/jobs/$job' })
  const query = useQuery({ queryKey: ['job', id], queryFn: () => call('getJob', { path: { job: id } }), refetchInterval: 1500 })
  const looks = useLooks(query.data, query.dataUpdatedAt)
  const read = speeds(looks).source
  return (
    <Page>
      <Head title={query.data?.job.name ?? 'Job'} crumbs={[{ label: 'Jobs', to: '/jobs' }]} badge={query.data && <StateBadge state={query.data.job.state} />}>
        {query.data && <Actions job={query.data.job} />}
      </Head>
      <Loaded query={query}>
        {({ job, source, insert, ...detail }) => (
          <>
            {job.error && <ProblemNote problem={new Error(job.error)} />}
            <div className="tiles">
              <Tile label="Behind" value={count(job.lag)} note="events not read yet" />
              <Tile label="Records" value={count(job.records)} note="since the platform started" />
              <Tile label="Rate" value={`${short(read?.records ?? 0)}/s`} note={`${bytes(read?.bytes ?? 0)}/s read`} />
              <Tile label="Put aside" value={count(job.dead_records)} note="do not fit the source table" />
              <Tile label="Epoch" value={count(job.epoch)} note={detail.handed_over_millis ? `handed over ${ago(detail.handed_over_millis)}, took ${duration(detail.epoch_millis)}` : 'the last one handed over'} />
              <Tile label="Failures" value={count(detail.failures)} note={`besides ${plural(detail.epochs, 'epoch')} since the platform started`} />
            </div>
            <section className="card">
              <header><h2 className="grow">From topic to table</h2></header>
              <div className="jobgraph"><Suspense fallback={null}><JobGraph data={{ job, source, insert, ...detail }} looks={looks} /></Suspense></div>
              <div className="body row wrap">
                {job.topics.map((topic) => <Link key={topic} className="button" to="/events/topics/$topic" params={{ topic }}><Icon name="events" />{topic}</Link>)}
                <Link className="button" to="/catalog/$catalog/$schema/$table" params={tableLink(job.table)}><Icon name="table" />{job.table}</Link>
                <Link className="button bare" to="/sql" search={{ sql: `SELECT * FROM ${quoted(job.table)} LIMIT 100`, run: '1' }}>Query</Link>
              </div>
            </section>
            <Letters job={job} tableSql={quoted(job.dead_table)} />
            {[['Source', source], ['Statement', insert]].map(([title, text]) => (
              <section className="card" key={title}>
                <header><h2 className="grow">{title}</h2><Copy text={text!} label={`Copy: ${title}`} /></header>
                <div className="body"><pre tabIndex={0} aria-label={title}>{text}</pre></div>
              </section>
            ))}
          </>
        )}
      </Loaded>
    </Page>
  )
}
