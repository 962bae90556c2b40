import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useCallback, useEffect, useMemo, useReducer, useRef, useState } from 'react'
import { address, call, Problem } from '../api/client'
import type { ResultColumn } from '../api/types'
import { ago, count, duration, plural } from '../lib/format'
import { prettyJson } from '../lib/json'
import { cellText, csv, download, jsonLines, tabs as asTabs } from '../lib/results'
import { Run } from '../lib/run'
import { loadSheets, newSheet, saveSheets, type Sheet } from '../lib/sheets'
import { offsetOf, onlyReads, quoteName, statementAt, statements, type Statement } from '../lib/statements'
import { ResultGrid } from '../ui/grid'
import { Icon } from '../ui/icons'
import { Page } from '../ui/page'
import { Button, Confirm, Copy, Dialog, Drawer, Empty, Field, Loaded, Menu, ProblemNote, StateBadge, toast, toastProblem } from '../ui/parts'
import { SqlEditor, type EditorHandle, type Mark, type Names } from '../ui/sql_editor'
import { chartable } from '../lib/chartable'
import { Keep, Saved } from './sql_saved'

const PlanGraph = lazy(() => import('../ui/plan').then((module) => ({ default: module.PlanGraph })))
const ResultChart = lazy(() => import('../ui/chart').then((module) => ({ default: module.ResultChart })))

const schemaKey = 'aichemy.schema'

// ---- The tree of tables.

const treeMax = 300 // of a schema

function Tree({ onPick }: { onPick: (text: string) => void }) {
  const [open, setOpen] = useState<Record<string, boolean>>({})
  const toggle = (name: string) => setOpen((old) => ({ ...old, [name]: !old[name] }))
  const schemas = useQuery({ queryKey: ['schemas'], queryFn: () => call('listSchemas') })
  return (
    <nav className="tree" aria-label="Tables">
      <Loaded query={schemas}>
        {(data) => (
          <>
            {data.schemas.length === 0 && <p className="muted" style={{ padding: 8 }}>No schemas yet. CREATE SCHEMA makes one.</p>}
            {data.schemas.map(({ catalog, name, tables }) => {
              const whole = `${catalog}.${name}`
              return (
                <div key={whole}>
                  <button type="button" aria-expanded={Boolean(open[whole])} onClick={() => toggle(whole)}>
                    <Icon name={open[whole] ? 'down' : 'chevron'} />
                    <span className="truncate" style={{ fontWeight: 550 }}><span className="muted">{catalog}.</span>{name}</span>
                    <span className="type">{tables}</span>
                  </button>
                  {open[whole] && <TreeSchema catalog={catalog} schema={name} open={open} toggle={toggle} onPick={onPick} />}
                </div>
              )
            })}
          </>
        )}
      </Loaded>
    </nav>
  )
}

function TreeSchema({ catalog, schema, open, toggle, onPick }: { catalog: string; schema: string; open: Record<string, boolean>; toggle: (name: string) => void; onPick: (text: string) => void }) {
  const query = useQuery({ queryKey: ['relations', catalog, schema], queryFn: () => call('listRelations', { path: { catalog, schema } }) })
  return (
    <>
      {query.data?.relations.slice(0, treeMax).map((one) => {
        const name = `${catalog}.${schema}.${one.name}`
        const path = catalog === 'iceberg' ? [schema, one.name] : [catalog, schema, one.name]
        return (
          <div key={name}>
            <button type="button" className="level1" aria-expanded={Boolean(open[name])} onClick={() => toggle(name)} onDoubleClick={() => onPick(path.map(quoteName).join('.'))} title="Double-click puts the name into the editor">
              <Icon name="table" />
              <span className="truncate">{one.name}</span>
            </button>
            {open[name] && <TreeTable catalog={catalog} schema={schema} table={one.name} onPick={onPick} />}
          </div>
        )
      })}
      {(query.data?.relations.length ?? 0) > treeMax && <Link className="level1 muted" to="/catalog" search={{ q: `${schema}.` }}>{plural(query.data!.relations.length - treeMax, 'more', 'more')}: in the catalog</Link>}
    </>
  )
}

function TreeTable({ catalog, schema, table, onPick }: { catalog: string; schema: string; table: string; onPick: (text: string) => void }) {
  const query = useQuery({ queryKey: ['table', catalog, schema, table], queryFn: () => call('getTable', { path: { catalog, schema, table } }) })
  return (
    <>
      {query.data?.columns.map((column) => (
        <button key={column.name} type="button" className="level2" onClick={() => onPick(quoteName(column.name))}>
          <span className="truncate">{column.name}</span>
          <span className="type truncate">{column.type}</span>
        </button>
      ))}
    </>
  )
}

function useNames(): Names {
  const words = useQuery({ queryKey: ['words'], queryFn: () => call('getWords'), staleTime: Infinity })
  const schemas = useQuery({
    queryKey: ['names'],
    queryFn: async () => {
      const list = await call('listSchemas')
      const out: Names['schemas'] = {}
      for (const schema of list.schemas.slice(0, 50)) {
        const tables = await call('listRelations', { path: { catalog: schema.catalog, schema: schema.name } })
        out[schema.name] = {}
        // Columns of the first tables; the others complete by name.
        for (const [i, one] of tables.relations.entries()) {
          out[schema.name]![one.name] = i < 30 ? (await call('getTable', { path: { catalog: schema.catalog, schema: schema.name, table: one.name } })).columns.map((column) => column.name) : []
        }
      }
      return out
    },
    staleTime: 60_000,
  })
  return useMemo(() => ({ schemas: schemas.data ?? {}, functions: words.data?.functions ?? [] }), [schemas.data, words.data])
}

// ---- What came out.

function Value({ value, column, onClose }: { value: unknown; column: ResultColumn; onClose: () => void }) {
  const text = cellText(value)
  const pretty = typeof value === 'object' || column.type === 'json' ? prettyJson(text) : null
  return (
    <Drawer title={column.name} onClose={onClose} actions={<Copy text={text} label="Copy the value" />}>
      <p className="muted mono">{column.type}</p>
      <pre className="code" tabIndex={0} aria-label="Value">{value === null ? 'null' : (pretty ?? text)}</pre>
    </Drawer>
  )
}

// The server writes the file, with the types of the columns; the browser then fetches it like any other.
async function saveParquet(run: Run) {
  const { id } = await call('startQuery', { body: { sql: run.sql, catalog: run.where.catalog || null, schema: run.where.schema || null, format: 'parquet' } })
  toast('The file is being written.')
  const page = await call('getPage', { path: { id, page: '0' } }).catch((problem: unknown) => {
    call('cancelQuery', { path: { id } }).catch(() => undefined)
    throw problem
  })
  const link = document.createElement('a')
  link.href = address('downloadResult', { id })
  link.download = 'result.parquet'
  link.click()
  toast(`${count(page.update_count ?? 0)} rows are in result.parquet.`)
}

function Results({ run }: { run: Run | null }) {
  const [view, setView] = useState<'grid' | 'chart'>('grid')
  const [asText, setAsText] = useState(false)
  const [open, setOpen] = useState<{ value: unknown; column: ResultColumn } | null>(null)
  const onOpen = useCallback((value: unknown, column: ResultColumn) => setOpen({ value, column }), [])
  if (!run) return <div className="results"><Empty icon="sql" title="Ask something">Ctrl-Enter runs the statement at the cursor, Ctrl-Shift-Enter all of them.</Empty></div>
  const save = async (kind: 'csv' | 'json') => {
    await run.all()
    const names = run.columns.map((column) => column.name)
    if (kind === 'csv') download('result.csv', 'text/csv', csv(names, run.rows))
    else download('result.jsonl', 'application/x-ndjson', jsonLines(names, run.rows))
  }
  const busy = run.state === 'running'
  return (
    <div className="results">
      <div className="runbar" style={{ borderTop: 0 }}>
        <span className="row grow num" role="status" data-testid="run-state">
          {busy && <><i className="spin" /> running {run.percentage > 0 ? `${Math.round(run.percentage)}%` : ''}</>}
          {run.state === 'cancelled' && <StateBadge state="CANCELLED" />}
          {run.state === 'failed' && <StateBadge state="FAILED" />}
          {(run.state === 'done' || run.state === 'more') && (run.plan ? plural(run.plan.length, 'operator') : run.update ? `${run.update.type}${run.update.count === null ? '' : `: ${plural(run.update.count, 'row')}`}` : `${count(run.rows.length)}${run.state === 'more' ? '+' : ''} ${run.rows.length === 1 && run.state === 'done' ? 'row' : 'rows'}`)}
          {!busy && <span className="muted">{duration(run.elapsed)}</span>}
        </span>
        {run.plan && <Button tone="bare" small icon={asText ? 'jobs' : 'file'} onClick={() => setAsText(!asText)}>{asText ? 'Graph' : 'Text'}</Button>}
        {run.columns.length > 0 && (
          <>
            {chartable(run.columns) && <Button tone="bare" small icon={view === 'grid' ? 'chart' : 'table'} onClick={() => setView(view === 'grid' ? 'chart' : 'grid')}>{view === 'grid' ? 'Chart' : 'Grid'}</Button>}
            <Menu
              label="Take the result along"
              icon="download"
              items={[
                { label: 'Copy as a table', icon: 'copy', run: () => void run.all().then(() => navigator.clipboard.writeText(asTabs(run.columns.map((column) => column.name), run.rows))).then(() => toast('Copied.'), toastProblem) },
                { label: 'Save as CSV', icon: 'download', run: () => void save('csv').catch(toastProblem) },
                { label: 'Save as Parquet (runs it again)', icon: 'download', run: () => void saveParquet(run).catch(toastProblem) },
                { label: 'Save as JSON lines', icon: 'download', run: () => void save('json').catch(toastProblem) },
              ]}
            />
          </>
        )}
      </div>
      {run.state === 'failed' && <div style={{ padding: 12 }}><ProblemNote problem={run.problem} /></div>}
      {run.plan && !asText && <Suspense fallback={null}><PlanGraph steps={run.plan} /></Suspense>}
      {run.plan && asText && <pre className="plan-text" tabIndex={0} aria-label="Plan">{cellText(run.rows[0]?.[0])}</pre>}
      {run.columns.length > 0 && !run.plan && view === 'chart' && chartable(run.columns) && <Suspense fallback={null}><ResultChart columns={run.columns} rows={run.rows} version={run.version} /></Suspense>}
      {run.columns.length > 0 && !run.plan && view === 'grid' && <ResultGrid columns={run.columns} rows={run.rows} version={run.version} onEnd={run.more} onOpen={onOpen} />}
      {run.columns.length === 0 && run.state === 'done' && <Empty icon="check" title="Done">{run.update?.type ?? 'The statement gives no rows.'}</Empty>}
      {open && <Value value={open.value} column={open.column} onClose={() => setOpen(null)} />}
    </div>
  )
}

function History({ onClose, onPick }: { onClose: () => void; onPick: (text: string) => void }) {
  const query = useQuery({ queryKey: ['queries'], queryFn: () => call('listQueries'), refetchInterval: 2000 })
  return (
    <Drawer title="Statements" onClose={onClose}>
      <Loaded query={query}>
        {(data) =>
          data.queries.length === 0 ? <Empty icon="history" title="None yet" /> : (
            <div className="stack">
              {data.queries.slice().sort((a, b) => b.created_millis - a.created_millis).map((one) => (
                <button key={one.id} type="button" className="card" style={{ textAlign: 'left', cursor: 'pointer', padding: 12, background: 'none' }} onClick={() => onPick(one.sql)}>
                  <span className="row">
                    <StateBadge state={one.state} />
                    <span className="muted grow truncate">{one.user} · {one.source || 'client'} · {ago(one.created_millis)}</span>
                    <span className="muted num">{one.ended_millis ? duration(one.ended_millis - one.created_millis) : ''}</span>
                  </span>
                  <pre style={{ maxHeight: 96, overflow: 'hidden', marginTop: 6 }}>{one.sql}</pre>
                  {one.error && <span style={{ color: 'var(--bad)' }}>{one.error.slice(0, 300)}</span>}
                </button>
              ))}
            </div>
          )
        }
      </Loaded>
    </Drawer>
  )
}

// ---- The page.

function marksOf(run: Run | null): Mark[] {
  if (!run || run.state !== 'failed' || !(run.problem instanceof Problem) || !run.problem.document.line) return []
  const { line, column, detail } = run.problem.document
  const at = offsetOf(run.sql, line ?? 1, column ?? 1)
  const word = run.sql.slice(at).match(/^("[^"]*"|\w+|.)/s)?.[0].length ?? 1
  return [{ from: run.from + at, to: run.from + at + word, message: detail ?? '' }]
}

export function SqlPage() {
  const search = useSearch({ from: '/sql' })
  const navigate = useNavigate({ from: '/sql' })
  const client = useQueryClient()
  const [{ sheets, active }, setState] = useState(loadSheets)
  const [schema, setSchema] = useState(localStorage.getItem(schemaKey) ?? '')
  const [history, setHistory] = useState(false)
  const [saved, setSaved] = useState(false)
  const [keeping, setKeeping] = useState('')
  const [analyzing, setAnalyzing] = useState<Statement | null>(null)
  const [naming, setNaming] = useState<Sheet | null>(null)
  const [height, setHeight] = useState(() => Math.round(window.innerHeight * 0.34))
  const [, redraw] = useReducer((n: number) => n + 1, 0)
  const runs = useRef(new Map<string, Run>())
  const editor = useRef<EditorHandle | null>(null)
  const names = useNames()
  const schemas = useQuery({ queryKey: ['schemas'], queryFn: () => call('listSchemas') })
  const sheet = sheets.find((one) => one.id === active) ?? sheets[0]!
  const run = runs.current.get(sheet.id) ?? null
  const [marks, setMarks] = useState<Mark[]>([])
  useEffect(() => saveSheets(sheets, active), [sheets, active])
  useEffect(() => localStorage.setItem(schemaKey, schema), [schema])

  const start = useCallback(
    (id: string, list: Statement[]) => {
      const go = (i: number) => {
        const statement = list[i]
        if (!statement) return
        runs.current.get(id)?.cancel()
        let settled = false
        const next: Run = new Run(statement.text, statement.from, { catalog: 'iceberg', schema }, () => {
          if (runs.current.get(id) !== next) return
          if (next.context.schema) setSchema(next.context.schema)
          setMarks(marksOf(next))
          redraw()
          if (settled || next.state === 'running') return
          settled = true
          if (next.update) {
            void client.invalidateQueries({ queryKey: ['schemas'] })
            void client.invalidateQueries({ queryKey: ['relations'] })
            void client.invalidateQueries({ queryKey: ['names'] })
            void client.invalidateQueries({ queryKey: ['table'] })
          }
          if (next.state === 'done' || next.state === 'more') go(i + 1)
        })
        runs.current.set(id, next)
        setMarks([])
        redraw()
        void next.start()
      }
      go(0)
    },
    [client, schema],
  )

  // A link may bring a statement along: it gets a sheet of its own.
  useEffect(() => {
    const brought = search.sql
    if (!brought) return
    const made = newSheet(sheets, brought)
    setState((old) => ({ sheets: [...old.sheets, made], active: made.id }))
    // Anybody can make a link: what changes something waits for a click.
    const brings = statements(brought)
    if (search.run && brings.every((one) => onlyReads(one.text))) start(made.id, brings)
    void navigate({ search: {}, replace: true })
    // eslint-disable-next-line
  }, [search.sql])
  // What still runs when the page is left is nobody's.
  useEffect(() => {
    const kept = runs.current
    const leave = () => kept.forEach((one) => one.cancel())
    window.addEventListener('pagehide', leave)
    return () => {
      window.removeEventListener('pagehide', leave)
      leave()
    }
  }, [])

  const onRun = (all: boolean) => {
    const text = editor.current?.text() ?? sheet.text
    const selected = editor.current?.selection() ?? { from: 0, to: 0 }
    if (selected.to > selected.from && !all) {
      const part = text.slice(selected.from, selected.to)
      return start(sheet.id, statements(part).map((one) => ({ ...one, from: one.from + selected.from, to: one.to + selected.from })))
    }
    if (all) return start(sheet.id, statements(text))
    const one = statementAt(text, selected.from)
    if (one) start(sheet.id, [one])
  }
  const explain = (analyze: boolean, sure = false) => {
    const one = statementAt(editor.current?.text() ?? '', editor.current?.selection().from ?? 0)
    if (!one) return
    if (analyze && !sure && !onlyReads(one.text)) return setAnalyzing(one)
    const prefix = analyze ? 'EXPLAIN ANALYZE ' : 'EXPLAIN '
    start(sheet.id, [{ ...one, text: prefix + one.text, from: one.from - prefix.length }])
  }
  const change = (part: Partial<Sheet>) => setState((old) => ({ ...old, sheets: old.sheets.map((one) => (one.id === sheet.id ? { ...one, ...part } : one)) }))
  const close = (id: string) => {
    runs.current.get(id)?.cancel()
    runs.current.delete(id)
    setState((old) => {
      const left = old.sheets.filter((one) => one.id !== id)
      const rest = left.length ? left : [newSheet([])]
      return { sheets: rest, active: old.active === id ? rest[rest.length - 1]!.id : old.active }
    })
  }
  const add = (text = '', part: Partial<Sheet> = {}) => setState((old) => {
    const made = { ...newSheet(old.sheets, text), ...part }
    return { sheets: [...old.sheets, made], active: made.id }
  })
  const onChange = (text: string) => change({ text })
  const busy = run?.state === 'running'
  return (
    <Page tight>
      <h1 className="visually-hidden">SQL</h1>
      <div className="sql">
        <Tree onPick={(text) => editor.current?.insert(text)} />
        <div className="work">
          <div className="sheetbar">
            {sheets.map((one) => (
              <div key={one.id} className="sheet" data-active={one.id === sheet.id}>
                <button type="button" aria-current={one.id === sheet.id} onClick={() => setState((old) => ({ ...old, active: one.id }))} onDoubleClick={() => setNaming(one)}>{one.name}</button>
                <button type="button" className="close" aria-label={`Close ${one.name}`} onClick={() => close(one.id)}><Icon name="close" /></button>
              </div>
            ))}
            <Button tone="bare" small icon="plus" aria-label="New sheet" title="New sheet" onClick={() => add()} />
          </div>
          <div className="editor" style={{ height }}>
            <SqlEditor id={sheet.id} initial={sheet.text} names={names} marks={marks} onChange={onChange} onRun={onRun} handle={(handle) => { editor.current = handle }} />
          </div>
          <Splitter height={height} onChange={setHeight} />
          <div className="runbar">
            {busy ? <Button icon="stop" onClick={() => run?.cancel()}>Cancel</Button> : <Button tone="primary" icon="play" onClick={() => onRun(false)}>Run</Button>}
            <Button disabled={busy} onClick={() => explain(false)}>Explain</Button>
            <Button disabled={busy} onClick={() => explain(true)}>Explain analyze</Button>
            <select className="select" aria-label="Schema" value={schema} onChange={(event) => setSchema(event.target.value)}>
              <option value="">no schema</option>
              {[...new Set([...(schemas.data?.schemas.map((one) => one.name) ?? []), ...(schema ? [schema] : [])])].map((name) => <option key={name}>{name}</option>)}
            </select>
            <span className="grow" />
            <Button tone="bare" icon="star" aria-label="Keep" title="Keep" onClick={() => setKeeping(editor.current?.text() ?? sheet.text)}><span className="hide-phone">Keep</span></Button>
            <Button tone="bare" icon="folder" aria-label="Kept" title="Kept statements" onClick={() => setSaved(true)}><span className="hide-phone">Kept</span></Button>
            <Button tone="bare" icon="history" aria-label="History" title="History" onClick={() => setHistory(true)}><span className="hide-phone">History</span></Button>
          </div>
          <Results run={run} />
        </div>
      </div>
      {history && <History onClose={() => setHistory(false)} onPick={(text) => { setHistory(false); add(text) }} />}
      {naming && <Rename sheet={naming} onClose={() => setNaming(null)} onName={(name) => setState((old) => ({ ...old, sheets: old.sheets.map((one) => (one.id === naming.id ? { ...one, name } : one)) }))} />}
      {saved && <Saved onClose={() => setSaved(false)} onOpen={(one) => { setSaved(false); if (one.schema) setSchema(one.schema); add(one.sql, { name: one.name, saved: { id: one.id, version: one.version } }) }} />}
      {keeping && <Keep sheet={sheet} sql={keeping} schema={schema} onClose={() => setKeeping('')} onKept={(one) => { change({ name: one.name, saved: { id: one.id, version: one.version } }); toast('Kept.') }} />}
      {analyzing && <Confirm title="Run it to explain it?" about="EXPLAIN ANALYZE runs the statement. What it changes stays changed." label="Run" onClose={() => setAnalyzing(null)} run={() => Promise.resolve(explain(true, true))} />}
    </Page>
  )
}

function Rename({ sheet, onClose, onName }: { sheet: Sheet; onClose: () => void; onName: (name: string) => void }) {
  const [name, setName] = useState(sheet.name)
  return (
    <Dialog title="Name of the sheet" onClose={onClose} submit={{ label: 'Save', disabled: !name.trim(), run: () => Promise.resolve(onName(name.trim())) }}>
      <Field label="Name"><input className="input" value={name} autoFocus maxLength={60} onChange={(event) => setName(event.target.value)} /></Field>
    </Dialog>
  )
}

function Splitter({ height, onChange }: { height: number; onChange: (height: number) => void }) {
  const clamp = (value: number) => Math.max(90, Math.min(window.innerHeight - 240, value))
  return (
    <div
      className="splitter"
      role="separator"
      aria-orientation="horizontal"
      aria-label="Height of the editor"
      aria-valuenow={height}
      aria-valuemin={90}
      aria-valuemax={1200}
      tabIndex={0}
      onKeyDown={(event) => {
        if (event.key === 'ArrowDown') onChange(clamp(height + 24))
        if (event.key === 'ArrowUp') onChange(clamp(height - 24))
      }}
      onPointerDown={(event) => {
        const began = event.clientY
        const target = event.currentTarget
        target.setPointerCapture(event.pointerId)
        const move = (next: PointerEvent) => onChange(clamp(height + next.clientY - began))
        target.addEventListener('pointermove', move)
        target.addEventListener('pointerup', () => target.removeEventListener('pointermove', move), { once: true })
      }}
    />
  )
}
