// The statements of all clients: what runs, what ran, where each spent its time.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useReducer, useState } from 'react'
import { call, Problem } from '../api/client'
import type { Query } from '../api/types'
import { ago, bytes, count, duration, plural, preciseTime } from '../lib/format'
import { isOver, phases } from '../lib/phases'
import { Run } from '../lib/run'
import { useSession } from '../lib/session'
import { Head, Page, Tile } from '../ui/page'
import { Badge, Button, Copy, Empty, Loaded, ProblemNote, Search, StateBadge, toast, toastProblem } from '../ui/parts'

const PlanGraph = lazy(() => import('../ui/plan').then((module) => ({ default: module.PlanGraph })))

const everyStatement = 'SELECT * FROM kafka.system.queries ORDER BY created DESC LIMIT 1000'

function useStop() {
  const session = useSession()
  const client = useQueryClient()
  return useMutation({
    mutationFn: async (query: Query) => {
      if (query.user === session.user) return call('cancelQuery', { path: { id: query.id } })
      // The rules of access decide whether others' statements may be ended.
      const run = new Run(`CALL system.runtime.kill_query(query_id => '${query.id}', message => 'ended in the console by ${session.user.replaceAll("'", "''")}')`, 0, { catalog: '', schema: '' }, () => undefined)
      await run.start()
      if (run.state === 'failed') throw run.problem
    },
    onSuccess: () => toast('It is being ended.'),
    onError: toastProblem,
    onSettled: () => client.invalidateQueries({ queryKey: ['queries'] }),
  })
}

const took = (query: Query, now: number) => duration((query.ended_millis ?? now) - query.created_millis)

function Rows({ queries, now }: { queries: Query[]; now: number }) {
  const stop = useStop()
  return (
    <section className="card scroll" tabIndex={0}>
      <table className="table">
        <thead><tr><th>Statement</th><th>State</th><th className="right">Time</th><th className="right hide-phone">Rows</th><th className="right hide-phone">Read</th><th className="hide-phone">User</th><th className="hide-phone">Client</th><th className="hide-phone">Begun</th><th /></tr></thead>
        <tbody>
          {queries.map((query) => (
            <tr key={query.id}>
              <td style={{ maxWidth: 420 }}><Link className="truncate mono" style={{ display: 'block' }} to="/queries/$query" params={{ query: query.id }} title={query.id}>{query.sql.replace(/\s+/g, ' ').slice(0, 300)}</Link>{query.error && <div className="truncate" style={{ color: 'var(--bad)' }} title={query.error}>{query.error}</div>}</td>
              <td><StateBadge state={query.state} /></td>
              <td className="right num">{took(query, now)}</td>
              <td className="right hide-phone num">{count(query.rows)}</td>
              <td className="right hide-phone num">{query.bytes ? bytes(query.bytes) : ''}</td>
              <td className="hide-phone">{query.user}</td>
              <td className="hide-phone muted">{query.source}</td>
              <td className="hide-phone muted">{ago(query.created_millis)}</td>
              <td className="right">{!isOver(query) && <Button tone="bare bad" small icon="stop" aria-label={`Stop ${query.id}`} onClick={() => stop.mutate(query)}>Stop</Button>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

const shownMax = 300

export function QueriesPage() {
  const [text, setText] = useState('')
  const query = useQuery({ queryKey: ['queries'], queryFn: () => call('listQueries'), refetchInterval: 1500 })
  const wanted = text.toLowerCase()
  const isWanted = (one: Query) => [one.sql, one.user, one.id, one.source, one.state, one.error ?? ''].some((part) => part.toLowerCase().includes(wanted))
  const running = query.data?.queries.filter((one) => !isOver(one)).length ?? 0
  return (
    <Page>
      <Head title="Queries" badge={query.data && <Badge tone={running ? 'good' : 'plain'}>{`${running} running`}</Badge>}>
        <Search label="Find a statement" value={text} onChange={setText} />
        <Link className="button" to="/sql" search={{ sql: everyStatement, run: '1' }}>Older ones</Link>
      </Head>
      <Loaded query={query}>
        {(data) => {
          const found = data.queries.filter(isWanted).sort((a, b) => Number(isOver(a)) - Number(isOver(b)) || b.created_millis - a.created_millis)
          if (found.length === 0) return <Empty icon="history" title={text ? 'None like that' : 'None yet'}>{text ? 'The last thousand statements were looked through.' : 'Every statement that a client sends is shown here.'}</Empty>
          return (
            <>
              <Rows queries={found.slice(0, shownMax)} now={query.dataUpdatedAt} />
              {found.length > shownMax && <p className="muted">{`${count(found.length - shownMax)} more: search for them.`}</p>}
            </>
          )
        }}
      </Loaded>
    </Page>
  )
}

// Where the time went, to scale.
function Phases({ query, now }: { query: Query; now: number }) {
  const parts = phases(query, now)
  const total = parts.reduce((sum, part) => sum + part.millis, 0)
  return (
    <section className="card">
      <header><h2 className="grow">Time</h2><span className="muted">{preciseTime(query.created_millis)}</span></header>
      <div className="body">
        <div className="phases" role="img" aria-label={parts.map((part) => `${part.name} ${duration(part.millis)}`).join(', ')}>
          {parts.map((part) => <i key={part.name} data-phase={part.name} style={{ width: `${total ? (100 * part.millis) / total : 0}%` }} />)}
        </div>
        <div className="row wrap">{parts.map((part) => <span key={part.name} className="row phase-key"><i data-phase={part.name} />{part.name} <b className="num">{duration(part.millis)}</b></span>)}</div>
      </div>
    </section>
  )
}

function Plan({ query }: { query: Query }) {
  const [run, setRun] = useState<Run | null>(null)
  const [, redraw] = useReducer((n: number) => n + 1, 0)
  useEffect(() => () => run?.cancel(), [run])
  const explain = () => {
    const made = new Run(`EXPLAIN ${query.sql}`, 0, { catalog: query.catalog, schema: query.schema }, redraw)
    setRun(made)
    void made.start()
  }
  return (
    <section className="card">
      <header><h2 className="grow">Plan</h2><Button small disabled={run?.state === 'running'} onClick={explain}>{run ? 'Plan it again' : 'Show the plan'}</Button></header>
      {!run && <div className="body muted">Made anew, as the tables are now. It runs nothing.</div>}
      {run?.state === 'failed' && <div className="body"><ProblemNote problem={run.problem} /></div>}
      {run?.plan && <div className="plan-room"><Suspense fallback={null}><PlanGraph steps={run.plan} /></Suspense></div>}
      {run?.state === 'done' && !run.plan && <div className="body"><pre tabIndex={0} aria-label="Plan">{String(run.rows[0]?.[0] ?? '')}</pre></div>}
    </section>
  )
}

export function QueryPage() {
  const { query: id } = useParams({ from: '/queries/$query' })
  const stop = useStop()
  const query = useQuery({
    queryKey: ['queries', id],
    queryFn: () => call('getQuery', { path: { id } }),
    refetchInterval: ({ state }) => (state.data && isOver(state.data) ? false : 1000),
    retry: (failures, problem) => !(problem instanceof Problem) && failures < 3,
  })
  const { data } = query
  return (
    <Page>
      <Head title={id} crumbs={[{ label: 'Queries', to: '/queries' }]} badge={data && <StateBadge state={data.state} />}>
        {data && <Link className="button" to="/sql" search={{ sql: data.sql }}>Open in SQL</Link>}
        {data && !isOver(data) && <Button tone="bad" icon="stop" onClick={() => stop.mutate(data)}>Stop</Button>}
      </Head>
      <Loaded query={query}>
        {(one) => (
          <>
            {one.error && <ProblemNote problem={new Error(`${one.error_name}: ${one.error}`)} />}
            <div className="tiles">
              <Tile label="Time" value={took(one, query.dataUpdatedAt)} note={isOver(one) ? `ended ${ago(one.ended_millis ?? one.created_millis)}` : 'so far'} />
              <Tile label="Rows" value={count(one.rows)} note="given to the client" />
              <Tile label="Read" value={bytes(one.bytes)} note="from files" />
              <Tile label="User" value={one.user} note={one.source || 'no name of a client'} />
              <Tile label="Resource group" value={one.resource_group} note={[one.catalog, one.schema].filter(Boolean).join('.') || 'no catalog in the session'} />
            </div>
            <Phases query={one} now={query.dataUpdatedAt} />
            <section className="card">
              <header><h2 className="grow">Statement</h2><span className="muted">{plural(one.sql.length, 'character')}</span><Copy text={one.sql} label="Copy the statement" /></header>
              <div className="body"><pre tabIndex={0} aria-label="Statement">{one.sql}</pre></div>
            </section>
            <Plan query={one} />
          </>
        )}
      </Loaded>
    </Page>
  )
}
