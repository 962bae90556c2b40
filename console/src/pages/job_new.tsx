// A new job: its script, and beside it what it makes of the newest records.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { call } from '../api/client'
import type { JobPreview } from '../api/types'
import { ask } from '../lib/ask'
import { count, plural } from '../lib/format'
import { guessSource } from '../lib/guess'
import type { Row } from '../lib/results'
import { Head, Page } from '../ui/page'
import { Badge, Button, Loaded, ProblemNote, errorText, toast } from '../ui/parts'
import { Rows } from '../ui/rows'
import { SqlEditor, type Mark, type Names } from '../ui/sql_editor'

const noNames: Names = { schemas: {}, functions: [] }
const noMarks: Mark[] = []
const shownMax = 100
const hint = "CREATE TABLE orders (id BIGINT, amount DOUBLE) WITH ('connector' = 'kafka', 'topic' = 'orders', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset'); INSERT INTO iceberg.sales.orders SELECT id, amount FROM orders;"

// The text once nobody has changed it for a moment.
function useSettled(text: string, millis: number): string {
  const [settled, setSettled] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), millis)
    return () => clearTimeout(timer)
  }, [text, millis])
  return settled
}

function Outcome({ data, prepared }: { data: JobPreview; prepared: boolean }) {
  const rows = data.rows as Row[]
  return (
    <>
      {/* The target that Start makes first is not missed yet. */}
      {data.problem && !prepared && <ProblemNote problem={new Error(`It cannot be started: ${data.problem}`)} />}
      {data.put_aside > 0 && (
        <div className="problem warn" role="note">
          <span className="grow">
            {plural(data.put_aside, 'record')} would be put aside. {data.misfits.slice(0, 3).map((one) => (
              <div key={`${one.topic} ${one.partition} ${one.offset}`}><Link to="/events/topics/$topic" params={{ topic: one.topic }} search={{ from: 'offset', value: String(one.offset), partition: String(one.partition) }}>{one.topic} {one.partition}:{one.offset}</Link> {one.error}</div>
            ))}
          </span>
        </div>
      )}
      {rows.length > 0 ? <Rows columns={data.columns} rows={rows.slice(0, shownMax)} label="Rows of the preview" /> : <p className="body muted">{data.records === 0 ? 'The topic has no records yet.' : 'No rows come of them.'}</p>}
    </>
  )
}

function Preview({ text, prepared }: { text: string; prepared: boolean }) {
  const settled = useSettled(text, 500)
  const query = useQuery({
    queryKey: ['job preview', settled],
    queryFn: () => call('previewJob', { body: { text: settled } }),
    enabled: settled.trim() !== '',
    refetchInterval: 5000,
    placeholderData: (before) => before,
    retry: false,
  })
  return (
    <section className="card" aria-label="Preview">
      <header>
        <h2 className="grow">What it would write</h2>
        {query.data && !query.error && <span className="muted num">{plural(query.data.total, 'row')} of the newest {plural(query.data.records, 'record')}{query.data.total > shownMax && `, ${count(shownMax)} shown`}</span>}
        <Badge tone={query.error ? 'warn' : 'good'}>{query.error ? 'not yet' : 'live'}</Badge>
      </header>
      {settled.trim() === '' ? <p className="body muted">Rows of real records appear here while you write.</p> : query.error ? <p className="body muted" role="status">{errorText(query.error)}</p> : <Loaded query={query}>{(data) => <Outcome data={data} prepared={prepared} />}</Loaded>}
    </section>
  )
}

export function NewJobPage() {
  const { topic } = useSearch({ from: '/jobs/new' })
  const navigate = useNavigate()
  const client = useQueryClient()
  const sample = useQuery({
    queryKey: ['job sample', topic],
    queryFn: () => call('listMessages', { path: { topic: topic! }, query: { limit: 50 } }),
    enabled: Boolean(topic),
    staleTime: Infinity,
  })
  const guess = guessSource(topic ?? '', (sample.data?.messages ?? []).map((one) => (one.value_encoding === 'text' ? (one.value ?? '') : '')))
  const [typed, setTyped] = useState<string | null>(null)
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const text = typed ?? guess.script
  const prepares = typed === null && guess.prepare.length > 0
  const run = async () => {
    if (busy || text.trim() === '') return
    setBusy(true)
    setProblem(null)
    try {
      if (prepares) for (const sql of guess.prepare) await ask(sql)
      await call('runScript', { body: { text } })
      await client.invalidateQueries({ queryKey: ['jobs'] })
      toast('The job runs.')
      await navigate({ to: '/jobs' })
    } catch (error) {
      setProblem(error)
    }
    setBusy(false)
  }
  return (
    <Page>
      <Head title="New job" crumbs={[{ label: 'Jobs', to: '/jobs' }]}>
        <Button tone="primary" icon="play" disabled={busy || text.trim() === ''} onClick={() => void run()}>Start</Button>
      </Head>
      <p className="note">Flink SQL: a table over a topic, and an INSERT INTO … SELECT that runs until it is stopped.{topic && sample.data && ` The columns were read off ${plural(sample.data.messages.length, 'message')} of ${topic}.`}</p>
      {prepares && topic && (
        <section className="card"><header><h2>First, the table it writes</h2></header><div className="body"><pre>{guess.prepare.join(';\n\n')}</pre></div></section>
      )}
      <ProblemNote problem={problem} />
      {!sample.isFetching && (
        <section className="card job-script">
          <SqlEditor id={topic ?? ''} label="Script" hint={hint} initial={guess.script} names={noNames} marks={noMarks} onChange={setTyped} onRun={() => void run()} handle={() => undefined} />
        </section>
      )}
      <Preview text={text} prepared={prepares} />
    </Page>
  )
}
