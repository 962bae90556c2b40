// Records that a job put aside: why, and back into the topic with them.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { call } from '../api/client'
import type { DeadLetter, Job } from '../api/types'
import { bytes, count, plural, time } from '../lib/format'
import { useMay } from '../lib/session'
import { Button, Confirm, Drawer, Loaded, toast } from '../ui/parts'

const idOf = (letter: DeadLetter) => `${letter.partition}:${letter.offset}:${letter.topic}`

export function Letters({ job, tableSql }: { job: Job; tableSql: string }) {
  const may = useMay('operator')
  const client = useQueryClient()
  // The table may be there from before the platform started, and gets its rows a little after they were counted.
  const query = useQuery({ queryKey: ['letters', job.id, job.dead_records], queryFn: () => call('listLetters', { path: { job: job.id } }), refetchInterval: job.state === 'RUNNING' ? 10_000 : false, placeholderData: (before) => before })
  const [picked, setPicked] = useState<Set<string>>(new Set())
  const [open, setOpen] = useState<DeadLetter | null>(null)
  const [sending, setSending] = useState<DeadLetter[] | null>(null)
  const replay = async (letters: DeadLetter[]) => {
    const { sent } = await call('replayLetters', { path: { job: job.id }, body: { letters: letters.map(({ topic, partition, offset }) => ({ topic, partition, offset })) } })
    toast(`${plural(sent, 'record')} sent again.`)
    setPicked(new Set())
    await client.invalidateQueries({ queryKey: ['letters', job.id] })
  }
  if (query.data?.total === 0) return null
  const shown = query.data?.letters ?? []
  const chosen = shown.filter((letter) => picked.has(idOf(letter)))
  return (
    <section className="card" aria-label="Records put aside">
      <header>
        <h2 className="grow">Records put aside{query.data && <span className="muted"> {count(query.data.total)}</span>}</h2>
        <Link className="button small" to="/sql" search={{ sql: `SELECT * FROM ${tableSql} ORDER BY 1 LIMIT 100`, run: '1' }}>Query</Link>
        {may && <Button small icon="refresh" disabled={shown.length === 0} onClick={() => setSending(chosen.length ? chosen : shown)}>{chosen.length ? `Send ${count(chosen.length)} again` : 'Send these again'}</Button>}
      </header>
      <Loaded query={query}>
        {({ letters }) => (
          <div className="scroll" tabIndex={0} aria-label="Records" style={{ maxHeight: 420 }}>
            <table className="table">
              <thead><tr>{may && <th><span className="visually-hidden">Pick</span></th>}<th>Partition · offset</th><th className="hide-phone">Time</th><th>Why</th><th className="hide-phone">Value</th></tr></thead>
              <tbody>
                {letters.map((letter) => (
                  <tr key={idOf(letter)}>
                    {may && <td><input type="checkbox" aria-label={`Pick ${letter.partition} · ${letter.offset}`} checked={picked.has(idOf(letter))} onChange={(event) => setPicked((old) => { const next = new Set(old); if (event.target.checked) next.add(idOf(letter)); else next.delete(idOf(letter)); return next })} /></td>}
                    <td><button type="button" className="linklike num" onClick={() => setOpen(letter)}>{letter.partition} · {count(letter.offset)}</button></td>
                    <td className="hide-phone muted num" style={{ whiteSpace: 'nowrap' }}>{letter.timestamp_millis ? time(letter.timestamp_millis) : ''}</td>
                    <td style={{ overflowWrap: 'anywhere' }}>{letter.error}</td>
                    <td className="hide-phone mono truncate" style={{ maxWidth: 320 }}>{letter.value ?? <i className="muted">none</i>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Loaded>
      {open && (
        <Drawer title={`${open.topic} · ${open.partition} · ${open.offset}`} onClose={() => setOpen(null)} actions={<Link className="button small" to="/events/topics/$topic" params={{ topic: open.topic }} search={{ from: 'offset', value: String(open.offset), partition: String(open.partition) }}>In its topic</Link>}>
          <dl className="facts">
            <dt>Why</dt><dd>{open.error}</dd>
            {open.key !== undefined && open.key !== null && [<dt key="k">Key</dt>, <dd key="v" className="mono">{open.key}</dd>]}
            <dt>Value</dt><dd>{bytes(open.value_bytes)}{open.value_encoding === 'base64' && ', as base64'}</dd>
          </dl>
          <pre className="code" tabIndex={0} aria-label="Value">{open.value ?? 'none'}</pre>
        </Drawer>
      )}
      {sending && <Confirm title={`Send ${plural(sending.length, 'record')} again?`} about="They go to the end of their partitions, as they were, and leave this list. Those that still do not fit come back." label="Send" onClose={() => setSending(null)} run={() => replay(sending.slice(0, 200))} />}
    </section>
  )
}
