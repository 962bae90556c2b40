// What a table's page asks in SQL: its statistics, partitions, branches, the changes of a snapshot, its upkeep.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { Snapshot, TableDetail } from '../api/types'
import { ask, type Answered } from '../lib/ask'
import { bytes, count, plural, time } from '../lib/format'
import { useMay } from '../lib/session'
import { quoteName } from '../lib/statements'
import { besideSql, filesOf, rowsOnlyIn, tableSql, upkeeps, type Upkeep } from '../lib/tables'
import { Badge, Button, Confirm, Dialog, Drawer, Empty, Field, Loaded, ProblemNote, toast, toastProblem } from '../ui/parts'
import { Rows } from '../ui/rows'

const shownMax = 100

function useAsked(data: TableDetail, what: string, sql: string | null, most = 1000) {
  const newest = data.snapshots[0]?.id ?? ''
  return useQuery({ queryKey: ['asked', what, data.catalog, data.schema, data.name, newest, sql], queryFn: () => ask(sql!, most), enabled: sql !== null, staleTime: 60_000, retry: false })
}

const dash = <i className="muted">unknown</i>

export function Statistics({ data }: { data: TableDetail }) {
  const query = useAsked(data, 'stats', `SHOW STATS FOR ${tableSql(data)}`)
  return (
    <Loaded query={query}>
      {({ rows }) => (
        <section className="card scroll" tabIndex={0}>
          <table className="table">
            <thead><tr><th>Column</th><th className="right">Distinct values</th><th className="right">Null</th><th className="right hide-phone">Size</th><th className="hide-phone">Least</th><th className="hide-phone">Greatest</th></tr></thead>
            <tbody>
              {rows.filter((row) => row[0] !== null).map((row) => (
                <tr key={String(row[0])}>
                  <td style={{ fontWeight: 550 }}>{String(row[0])}</td>
                  <td className="right">{row[2] === null ? dash : count(Math.round(Number(row[2])))}</td>
                  <td className="right">{row[3] === null ? dash : `${(Number(row[3]) * 100).toFixed(Number(row[3]) > 0 && Number(row[3]) < 0.001 ? 3 : 1)} %`}</td>
                  <td className="right hide-phone">{row[1] === null ? dash : bytes(Number(row[1]))}</td>
                  <td className="mono hide-phone">{row[5] === null ? '' : String(row[5])}</td>
                  <td className="mono hide-phone">{row[6] === null ? '' : String(row[6])}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </Loaded>
  )
}

export function Sample({ data }: { data: TableDetail }) {
  const query = useAsked(data, 'sample', `SELECT * FROM ${tableSql(data)} LIMIT ${shownMax}`, shownMax)
  return (
    <Loaded query={query}>
      {(answer) => (answer.rows.length === 0 ? <Empty icon="table" title="No rows">The table is empty.</Empty> : <section className="card"><Rows {...answer} label="Rows of the table" /></section>)}
    </Loaded>
  )
}

export function Partitions({ data }: { data: TableDetail }) {
  const query = useAsked(data, 'partitions', `SELECT partition, record_count, file_count, total_size FROM ${besideSql(data, 'partitions')}`)
  const text = (value: unknown) => (Array.isArray(value) ? data.partitioning.map((name, i) => `${name}=${value[i] ?? 'null'}`).join(' / ') : String(value))
  return (
    <Loaded query={query}>
      {(answer) => (
        <section className="card scroll" tabIndex={0}>
          <header><h2 className="grow">{plural(answer.rows.length, 'partition')}</h2>{answer.isCut && <span className="muted">the first {count(answer.rows.length)}</span>}</header>
          <table className="table">
            <thead><tr><th>Partition</th><th className="right">Rows</th><th className="right">Files</th><th className="right">Size</th></tr></thead>
            <tbody>
              {answer.rows.map((row, i) => (
                <tr key={i}><td className="mono">{text(row[0])}</td><td className="right">{count(Number(row[1]))}</td><td className="right">{count(Number(row[2]))}</td><td className="right">{bytes(Number(row[3]))}</td></tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </Loaded>
  )
}

// ---- Branches and tags.

function NewBranch({ data, onClose }: { data: TableDetail; onClose: () => void }) {
  const client = useQueryClient()
  const [name, setName] = useState('')
  return (
    <Dialog title="Create a branch" about="It begins at the table's current snapshot. INSERT INTO table @ branch writes to it, FOR VERSION AS OF 'branch' reads it." onClose={onClose} submit={{ label: 'Create', disabled: !name, run: async () => { await ask(`CREATE BRANCH ${quoteName(name)} IN TABLE ${tableSql(data)}`); await client.invalidateQueries({ queryKey: ['table'] }); await client.invalidateQueries({ queryKey: ['asked', 'refs'] }) } }}>
      <Field label="Name"><input className="input" value={name} autoFocus onChange={(event) => setName(event.target.value)} /></Field>
    </Dialog>
  )
}

export function Branches({ data }: { data: TableDetail }) {
  const client = useQueryClient()
  const may = useMay('operator')
  const query = useAsked(data, 'refs', `SELECT name, type, snapshot_id FROM ${besideSql(data, 'refs')} ORDER BY name`)
  const [creating, setCreating] = useState(false)
  const [removing, setRemoving] = useState<string | null>(null)
  const [forwarding, setForwarding] = useState<string | null>(null)
  const again = async () => {
    await client.invalidateQueries({ queryKey: ['table'] })
    await client.invalidateQueries({ queryKey: ['asked', 'refs'] })
  }
  const whenOf = (id: string) => data.snapshots.find((one) => one.id === id)?.timestamp_millis
  return (
    <section className="card scroll" tabIndex={0}>
      <header><h2 className="grow">Branches and tags</h2>{may && <Button small icon="plus" onClick={() => setCreating(true)}>Create branch</Button>}</header>
      <Loaded query={query}>
        {({ rows }) => (
          <table className="table">
            <thead><tr><th>Name</th><th>Kind</th><th className="hide-phone">Snapshot</th><th className="hide-phone">Of</th><th /></tr></thead>
            <tbody>
              {rows.map((row) => {
                const [name, kind, id] = row.map(String) as [string, string, string]
                const when = whenOf(id)
                const isOther = kind === 'BRANCH' && name !== 'main'
                return (
                  <tr key={name}>
                    <td style={{ fontWeight: 550 }}>{name}</td>
                    <td><Badge tone="plain">{kind.toLowerCase()}</Badge></td>
                    <td className="mono muted hide-phone">{id}</td>
                    <td className="muted hide-phone">{when ? time(when) : ''}</td>
                    <td className="right">
                      <span className="row" style={{ justifyContent: 'flex-end' }}>
                        <Link className="button bare small" to="/sql" search={{ sql: `SELECT * FROM ${tableSql(data)} FOR VERSION AS OF '${name.replaceAll("'", "''")}' LIMIT 100`, run: '1' }}>Look</Link>
                        {may && isOther && <Button tone="bare" small onClick={() => setForwarding(name)}>Bring main here</Button>}
                        {may && isOther && <Button tone="bare bad" small onClick={() => setRemoving(name)}>Drop</Button>}
                      </span>
                    </td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        )}
      </Loaded>
      {creating && <NewBranch data={data} onClose={() => setCreating(false)} />}
      {removing && <Confirm title={`Drop the branch ${removing}`} about="What was written to it alone goes when its snapshots expire." label="Drop" onClose={() => setRemoving(null)} run={async () => { await ask(`DROP BRANCH ${quoteName(removing)} IN TABLE ${tableSql(data)}`); await again() }} />}
      {forwarding && <Confirm title={`Bring main to ${forwarding}`} about="The table then has the rows of the branch. Refused when main has changes of its own." label="Bring main here" onClose={() => setForwarding(null)} run={async () => { await ask(`ALTER BRANCH main IN TABLE ${tableSql(data)} FAST FORWARD TO ${quoteName(forwarding)}`); toast('The table is what the branch is.'); await again() }} />}
    </section>
  )
}

// ---- What a snapshot changed.

function Side({ title, answer, problem }: { title: string; answer: Answered | undefined; problem: unknown }) {
  if (problem) return <ProblemNote problem={problem} />
  if (!answer || answer.rows.length === 0) return null
  return (
    <section className="stack" style={{ gap: 6 }}>
      <h3>{title}{answer.isCut && <span className="muted"> the first {count(answer.rows.length)}</span>}</h3>
      <Rows {...answer} label={title} />
    </section>
  )
}

const kindNames = ['data', 'position deletes', 'equality deletes']

export function Changes({ data, snapshot, onClose }: { data: TableDetail; snapshot: Snapshot; onClose: () => void }) {
  const parent = snapshot.parent_id && data.snapshots.some((one) => one.id === snapshot.parent_id) ? snapshot.parent_id : null
  const isKnown = Boolean(parent) || !snapshot.parent_id
  const files = useAsked(data, 'snapshot files', filesOf(data, snapshot.id), 200)
  const added = useAsked(data, 'rows added', isKnown ? rowsOnlyIn(data, snapshot.id, parent, shownMax + 1) : null, shownMax)
  const removed = useAsked(data, 'rows removed', parent ? rowsOnlyIn(data, parent, snapshot.id, shownMax + 1) : null, shownMax)
  const isSame = added.data?.rows.length === 0 && (!parent || removed.data?.rows.length === 0)
  return (
    <Drawer title={`What ${snapshot.operation} changed`} onClose={onClose} actions={parent && <Link className="button small" to="/sql" search={{ sql: `${rowsOnlyIn(data, snapshot.id, parent, 1000)};\n\n${rowsOnlyIn(data, parent, snapshot.id, 1000)}` }}>In SQL</Link>}>
      <dl className="facts">
        <dt>When</dt><dd>{time(snapshot.timestamp_millis)}</dd>
        <dt>Snapshot</dt><dd className="mono">{snapshot.id}</dd>
        <dt>Before it</dt><dd className="mono">{snapshot.parent_id ?? <i className="muted">nothing</i>}{snapshot.parent_id && !parent && <span className="muted"> expired, or not among those shown: its rows cannot be compared</span>}</dd>
        {Object.entries(snapshot.summary).filter(([key]) => /^(added|deleted|removed|changed)-/.test(key)).map(([key, value]) => [<dt key={`k${key}`}>{key.replaceAll('-', ' ')}</dt>, <dd key={`v${key}`} className="num">{value}</dd>])}
      </dl>
      {(added.isFetching || removed.isFetching) && <p className="row muted" role="status"><i className="spin" /> comparing rows</p>}
      {isSame && <p className="muted" role="status">The rows are the same; equal rows are counted once.</p>}
      <Side title="Rows added" answer={added.data} problem={added.error} />
      <Side title="Rows removed" answer={removed.data} problem={removed.error} />
      <Loaded query={files}>
        {({ rows, isCut }) => rows.length === 0 ? null : (
          <section className="stack" style={{ gap: 6 }}>
            <h3>Files{isCut && <span className="muted"> the first {count(rows.length)}</span>}</h3>
            <div className="scroll" tabIndex={0} aria-label="Files">
              <table className="table">
                <tbody>
                  {rows.map((row, i) => (
                    <tr key={i}>
                      <td><Badge tone={row[0] === 1 ? 'good' : 'warn'}>{row[0] === 1 ? 'added' : 'removed'}</Badge></td>
                      <td className="mono truncate" title={String(row[2])}>{String(row[2]).split('/').slice(-1)}</td>
                      <td className="muted hide-phone">{kindNames[Number(row[1])]}</td>
                      <td className="right num" style={{ whiteSpace: 'nowrap' }}>{plural(Number(row[3]), 'row')}</td>
                      <td className="right num" style={{ whiteSpace: 'nowrap' }}>{bytes(Number(row[4]))}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </section>
        )}
      </Loaded>
    </Drawer>
  )
}

// ---- Maintenance.

export function Maintenance({ data }: { data: TableDetail }) {
  const client = useQueryClient()
  const may = useMay('operator')
  const [asking, setAsking] = useState<Upkeep | null>(null)
  const [busy, setBusy] = useState<string | null>(null)
  const [done, setDone] = useState<Record<string, Answered>>({})
  const run = async (one: Upkeep) => {
    setBusy(one.name)
    try {
      const answer = await ask(one.sql(data))
      setDone((old) => ({ ...old, [one.name]: answer }))
      await client.invalidateQueries({ queryKey: ['table'] })
    } finally {
      setBusy(null)
    }
  }
  const outcome = (answer: Answered) => (answer.rows.length && answer.columns.length === 2 ? answer.rows.map((row) => `${String(row[0]).replaceAll('_', ' ')}: ${String(row[1])}`).join(', ') : '')
  return (
    <section className="card scroll" tabIndex={0}>
      <table className="table">
        <tbody>
          {upkeeps.map((one) => (
            <tr key={one.name}>
              <td style={{ maxWidth: 'none' }}>
                <b>{one.name}</b>
                <div className="muted">{one.about}</div>
                {done[one.name] && <div role="status"><Badge tone="good">done</Badge> <span className="num">{outcome(done[one.name]!)}</span></div>}
              </td>
              <td className="right">{may && <Button small disabled={busy !== null} aria-label={`Run: ${one.name}`} onClick={() => (one.asks ? setAsking(one) : void run(one).catch(toastProblem))}>{busy === one.name ? <i className="spin" /> : 'Run'}</Button>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {asking && <Confirm title={asking.name} about={`${asking.about} ${asking.asks}`} label="Run" onClose={() => setAsking(null)} run={() => run(asking)} />}
    </section>
  )
}
