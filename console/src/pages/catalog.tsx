import { useQueries, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { call } from '../api/client'
import type { Snapshot, TableDetail } from '../api/types'
import { ago, bytes, count, plural, short, time } from '../lib/format'
import { useMay } from '../lib/session'
import { tableSql as nameOf } from '../lib/tables'
import { Icon } from '../ui/icons'
import { Head, Page, Tile } from '../ui/page'
import { Badge, Button, Confirm, Copy, Empty, Loaded, Search, VirtualList, toast } from '../ui/parts'
import { Branches, Changes, Maintenance, Partitions, Sample, Statistics } from './table_tabs'

export function CatalogPage() {
  const search = useSearch({ from: '/catalog' })
  const navigate = useNavigate({ from: '/catalog' })
  const schemas = useQuery({ queryKey: ['schemas'], queryFn: () => call('listSchemas') })
  const lists = useQueries({
    queries: (schemas.data?.schemas ?? []).map((schema) => ({
      queryKey: ['relations', schema.catalog, schema.name],
      queryFn: () => call('listRelations', { path: { catalog: schema.catalog, schema: schema.name } }),
    })),
  })
  const text = (search.q ?? '').toLowerCase()
  const rows = (schemas.data?.schemas ?? []).flatMap((schema, i) =>
    (lists[i]?.data?.relations ?? [])
      .filter((one) => `${schema.name}.${one.name}`.includes(text))
      .map((one) => ({ ...one, catalog: schema.catalog, schema: schema.name })),
  )
  return (
    <Page>
      <Head title="Catalog" badge={<Badge tone="plain">{plural(rows.length, 'table')}</Badge>}>
        <Search label="Search tables" value={search.q ?? ''} onChange={(q) => void navigate({ search: { q: q || undefined }, replace: true })} />
      </Head>
      <Loaded query={schemas}>
        {(data) =>
          rows.length === 0 ? (
            <Empty icon="catalog" title={text ? 'No table has that name' : data.schemas.length === 0 ? 'No schemas yet' : 'No tables yet'} action={<Link className="button primary" to="/sql" search={{ sql: 'CREATE SCHEMA IF NOT EXISTS demo' }}>Open SQL</Link>}>
              {text ? 'Try fewer letters.' : 'CREATE SCHEMA and CREATE TABLE make them, and jobs fill them from topics.'}
            </Empty>
          ) : (
            <section className="card" style={{ display: 'flex', flexDirection: 'column', flex: 1, minHeight: 300 }}>
              <VirtualList items={rows} height={38} label="Tables">
                {(row) => (
                  <div className="row grow" style={{ padding: '0 14px' }}>
                    <Icon name="table" />
                    <Link className="truncate" style={{ fontWeight: 550 }} to="/catalog/$catalog/$schema/$table" params={{ catalog: row.catalog, schema: row.schema, table: row.name }}>
                      <span className="muted">{row.schema}.</span>
                      {row.name}
                    </Link>
                    <span className="grow" />
                    <Badge tone="plain">{row.kind}</Badge>
                  </div>
                )}
              </VirtualList>
            </section>
          )
        }
      </Loaded>
    </Page>
  )
}

function Columns({ data }: { data: TableDetail }) {
  return (
    <section className="card scroll" tabIndex={0}>
      <table className="table">
        <thead><tr><th>Column</th><th>Type</th><th>Null</th><th className="hide-phone">Comment</th></tr></thead>
        <tbody>
          {data.columns.map((column) => (
            <tr key={column.name}>
              <td style={{ fontWeight: 550 }}>{column.name}</td>
              <td className="mono">{column.type}</td>
              <td className="muted">{column.nullable ? 'allowed' : 'not null'}</td>
              <td className="muted hide-phone">{column.comment}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Snapshots({ data }: { data: TableDetail }) {
  const client = useQueryClient()
  const may = useMay('operator')
  const [back, setBack] = useState<string | null>(null)
  const [shown, setShown] = useState<Snapshot | null>(null)
  const path = { catalog: data.catalog, schema: data.schema, table: data.name }
  const refs = (id: string) => Object.entries(data.refs).filter(([, snapshot]) => snapshot === id).map(([name]) => name)
  if (data.snapshots.length === 0) return <Empty icon="history" title="No snapshots">The table has never been written to.</Empty>
  return (
    <section className="card scroll" tabIndex={0}>
      <table className="table">
        <thead><tr><th>When</th><th>Did</th><th className="right">Rows</th><th className="right hide-phone">Files</th><th className="hide-phone">Snapshot</th><th /></tr></thead>
        <tbody>
          {data.snapshots.map((row) => {
            const added = Number(row.summary['added-records'] ?? 0)
            const removed = Number(row.summary['deleted-records'] ?? 0)
            const files = Number(row.summary['added-data-files'] ?? 0) - Number(row.summary['deleted-data-files'] ?? 0)
            return (
              <tr key={row.id}>
                <td title={time(row.timestamp_millis)}>{ago(row.timestamp_millis)}</td>
                <td>{row.operation} {refs(row.id).map((name) => <Badge key={name} tone="plain">{name}</Badge>)}</td>
                <td className="right">{added ? `+${count(added)}` : ''} {removed ? `−${count(removed)}` : ''}</td>
                <td className="right hide-phone">{files > 0 ? `+${files}` : files || ''}</td>
                <td className="mono muted hide-phone">{row.id}</td>
                <td className="right">
                  <span className="row" style={{ justifyContent: 'flex-end' }}>
                    <Button tone="bare" small onClick={() => setShown(row)}>Changes</Button>
                    <Link className="button bare small" to="/sql" search={{ sql: `SELECT * FROM ${nameOf(data)} FOR VERSION AS OF ${row.id} LIMIT 100`, run: '1' }}>Look</Link>
                    {row.current ? <Badge tone="good">current</Badge> : may && <Button tone="bare" small onClick={() => setBack(row.id)}>Roll back</Button>}
                  </span>
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
      {shown && <Changes data={data} snapshot={shown} onClose={() => setShown(null)} />}
      {back && (
        <Confirm
          title="Roll the table back"
          about={`Snapshot ${back} becomes the current one. Later ones are kept until they expire.`}
          label="Roll back"
          onClose={() => setBack(null)}
          run={async () => {
            await call('rollbackTable', { path, body: { snapshot_id: back } })
            toast('The table is what it was then.')
            await client.invalidateQueries({ queryKey: ['table'] })
          }}
        />
      )}
    </section>
  )
}

function Files({ data }: { data: TableDetail }) {
  const query = useQuery({ queryKey: ['files', data.schema, data.name], queryFn: () => call('listFiles', { path: { catalog: data.catalog, schema: data.schema, table: data.name } }) })
  return (
    <Loaded query={query}>
      {(list) => (
        <section className="card scroll" tabIndex={0}>
          <header><h2 className="grow">{plural(list.total, 'data file')}</h2>{list.total > list.files.length && <span className="muted">the first {count(list.files.length)}</span>}</header>
          <table className="table">
            <thead><tr><th>File</th><th className="hide-phone">Partition</th><th className="right">Rows</th><th className="right">Size</th></tr></thead>
            <tbody>
              {list.files.map((file) => (
                <tr key={file.path}>
                  <td className="mono truncate" title={file.path}>{file.path.split('/').slice(-2).join('/')}</td>
                  <td className="mono hide-phone">{file.partition}</td>
                  <td className="right">{count(file.rows)}</td>
                  <td className="right">{bytes(file.bytes)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </Loaded>
  )
}

export function TablePage() {
  const params = useParams({ from: '/catalog/$catalog/$schema/$table' })
  const search = useSearch({ from: '/catalog/$catalog/$schema/$table' })
  const query = useQuery({ queryKey: ['table', params.catalog, params.schema, params.table], queryFn: () => call('getTable', { path: params }), refetchInterval: 10_000 })
  const tab = search.tab ?? 'columns'
  const isIceberg = Boolean(query.data?.format)
  const tabs = [
    ['columns', 'Columns'], ['sample', 'Sample'],
    ...(query.data?.kind === 'view' ? [] : [['stats', 'Statistics']]),
    ...(isIceberg ? [['snapshots', 'Snapshots'], ['branches', 'Branches'], ['files', 'Files']] : []),
    ...(query.data?.partitioning.length ? [['partitions', 'Partitions']] : []),
    ...(isIceberg ? [['upkeep', 'Maintenance'], ['properties', 'Properties']] : []),
    ['ddl', 'Definition'],
  ] as [string, string][]
  return (
    <Page>
      <Head title={params.table} crumbs={[{ label: 'Catalog', to: '/catalog' }, { label: params.schema, to: `/catalog?q=${encodeURIComponent(params.schema + '.')}` }]} badge={query.data && <Badge tone="plain">{query.data.format ?? query.data.kind}</Badge>}>
        <Link className="button primary" to="/sql" search={{ sql: `SELECT * FROM ${nameOf({ ...params, name: params.table })} LIMIT 100`, run: '1' }}><Icon name="sql" />Query</Link>
      </Head>
      <Loaded query={query}>
        {(data) => (
          <>
            {data.comment && <p className="note">{data.comment}</p>}
            {isIceberg && (
              <div className="tiles">
                <Tile label="Rows" value={data.rows === undefined || data.rows === null ? '?' : short(data.rows)} />
                <Tile label="Size" value={data.bytes === undefined || data.bytes === null ? '?' : bytes(data.bytes)} note={data.files ? plural(data.files, 'file') : undefined} />
                <Tile label="Snapshots" value={count(data.snapshots.length)} note={data.snapshots[0] ? `last ${ago(data.snapshots[0].timestamp_millis)}` : 'never written'} />
                <Tile label="Partitioned by" value={data.partitioning.length ? data.partitioning.join(', ') : 'nothing'} />
              </div>
            )}
            {data.sources.length > 0 && (
              <p className="row wrap note"><Icon name="events" /> Filled from {data.sources.map((topic) => <Link key={topic} to="/events/topics/$topic" params={{ topic }}>{topic}</Link>)}</p>
            )}
            <nav className="tabs own" aria-label="Table">
              {tabs.map(([name, label]) => (
                <Link key={name} to="/catalog/$catalog/$schema/$table" params={params} search={name === 'columns' ? {} : { tab: name }} data-state={tab === name ? 'active' : undefined}>{label}</Link>
              ))}
            </nav>
            {tab === 'columns' && <Columns data={data} />}
            {tab === 'snapshots' && <Snapshots data={data} />}
            {tab === 'sample' && <Sample data={data} />}
            {tab === 'stats' && <Statistics data={data} />}
            {tab === 'branches' && <Branches data={data} />}
            {tab === 'partitions' && <Partitions data={data} />}
            {tab === 'upkeep' && <Maintenance data={data} />}
            {tab === 'files' && <Files data={data} />}
            {tab === 'properties' && (
              <section className="card"><div className="body"><dl className="facts">
                <dt>Location</dt><dd className="mono">{data.location}</dd>
                {Object.entries(data.properties).map(([key, value]) => [<dt key={`k${key}`} className="mono">{key}</dt>, <dd key={`v${key}`} className="mono">{value}</dd>])}
              </dl></div></section>
            )}
            {tab === 'ddl' && (
              <section className="card"><header><h2 className="grow">Definition</h2><Copy text={data.ddl} label="Copy the definition" /></header><div className="body"><pre tabIndex={0} aria-label="Definition">{data.ddl}</pre></div></section>
            )}
          </>
        )}
      </Loaded>
    </Page>
  )
}
