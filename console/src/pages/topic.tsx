import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'
import { address, call } from '../api/client'
import { useLive } from '../api/live'
import type { Message, TopicDetail } from '../api/types'
import { decodedBytesMax, decodedLine } from '../lib/decode'
import { bytes, count, preciseTime, time } from '../lib/format'
import { highlight } from '../lib/highlight'
import { download } from '../lib/results'
import { useMay, useSession } from '../lib/session'
import { Head, Page, Tile } from '../ui/page'
import { LongText } from '../ui/long_text'
import { Produce } from './topic_produce'
import { Decoders, ReadAs, readValue, useDecoders } from './topic_decoders'
import { Badge, Button, Confirm, Copy, Dialog, Drawer, Empty, Field, Loaded, Menu, ProblemNote, Search, StateBadge, VirtualList, toastProblem } from '../ui/parts'

const liveMax = 5000

function Marked({ text, search }: { text: string; search: string }) {
  return (
    <>
      {highlight(text, search).map((part, i) => (part.hit ? <mark key={i}>{part.text}</mark> : part.text))}
    </>
  )
}

const oneLine = (text: string | null | undefined, encoding: string) =>
  text === null || text === undefined ? '' : encoding === 'base64' ? `binary ${text.slice(0, 60)}` : text.slice(0, 400)

// ---- One message.

function MessageDrawer({ topic, message, onClose, onProduce }: { topic: string; message: Message; onClose: () => void; onProduce: (message: Message) => void }) {
  const may = useMay('operator')
  const [as, setAs] = useState('')
  const decoders = useDecoders(topic)
  const path = { topic, partition: String(message.partition), offset: String(message.offset) }
  const whole = useQuery({
    queryKey: ['message', topic, message.partition, message.offset],
    queryFn: () => call('getMessage', { path, query: { bytes: decodedBytesMax } }),
    enabled: message.truncated,
    initialData: message.truncated ? undefined : message,
  })
  const shown = whole.data ?? message
  const reading = useMemo(() => readValue(shown, decoders, as), [shown, decoders, as])
  const save = async () => {
    const full = await call('getMessage', { path })
    const name = `${topic}-${message.partition}-${message.offset}`
    if (full.value_encoding === 'base64') download(`${name}.bin`, 'application/octet-stream', Uint8Array.from(atob(full.value ?? ''), (c) => c.charCodeAt(0)))
    else download(`${name}.txt`, 'text/plain', full.value ?? '')
  }
  return (
    <Drawer
      title={`Partition ${message.partition}, offset ${count(message.offset)}`}
      onClose={onClose}
      actions={
        <>
          {may && <Button small icon="refresh" onClick={() => onProduce(shown)}>Send again</Button>}
          <Button small icon="download" onClick={() => void save().catch(toastProblem)}>Save</Button>
        </>
      }
    >
      <dl className="facts">
        <dt>Time</dt>
        <dd className="num">{preciseTime(message.timestamp_millis)}</dd>
        <dt>Key</dt>
        <dd className="mono">{message.key ?? <i className="muted">none</i>}</dd>
        <dt>Size</dt>
        <dd>{bytes(message.value_bytes)}</dd>
      </dl>
      {message.headers.length > 0 && (
        <section className="stack" style={{ gap: 6 }}>
          <h3>Headers</h3>
          <dl className="facts mono">
            {message.headers.map((header, i) => [<dt key={`k${i}`}>{header.key}</dt>, <dd key={`v${i}`}>{header.value ?? <i className="muted">null</i>}</dd>])}
          </dl>
        </section>
      )}
      <section className="stack" style={{ gap: 6, minHeight: 0 }}>
        <div className="row">
          <h3 className="grow">Value</h3>
          {reading.note && <Badge>{reading.note}</Badge>}
          <ReadAs decoders={decoders} value={as} onChange={setAs} />
          <Copy text={as === 'sent' ? shown.value ?? '' : reading.text} label="Copy the value" />
        </div>
        {shown.value === null || shown.value === undefined ? <p className="muted">None: this message removes its key.</p> : <LongText text={reading.text} label="Value" />}
        {reading.problem && <p className="problem" role="note">{reading.problem}</p>}
        {(shown.truncated || reading.isCut) && <p className="muted">The beginning of {bytes(shown.value_bytes)}. Save it to see the rest.</p>}
        <ProblemNote problem={whole.error} />
      </section>
    </Drawer>
  )
}

// ---- Messages.

function Messages({ topic, partitions }: { topic: string; partitions: number }) {
  const search = useSearch({ from: '/events/topics/$topic' })
  const navigate = useNavigate({ from: '/events/topics/$topic' })
  const may = useMay('operator')
  const [text, setText] = useState(search.search ?? '')
  const [open, setOpen] = useState<Message | null>(null)
  const [producing, setProducing] = useState<{ like?: Message } | null>(null)
  const [arrived, setArrived] = useState<Message[]>([])
  const from = search.from ?? 'latest'
  const isLive = from === 'live'
  const decoders = useDecoders(topic)
  const set = (change: Record<string, string | undefined>) => void navigate({ search: (old: Record<string, string | undefined>) => ({ ...old, ...change }), replace: true })
  useEffect(() => {
    const timer = setTimeout(() => {
      if (text !== (search.search ?? '')) set({ search: text || undefined })
    }, 350)
    return () => clearTimeout(timer)
  })
  const filter = { partition: search.partition ? Number(search.partition) : undefined, search: search.search, in: search.in }
  const needsValue = from === 'offset' || from === 'timestamp'
  const value = from === 'timestamp' ? Date.parse(search.value ?? '') : Number(search.value ?? 0)
  const query = useInfiniteQuery({
    queryKey: ['messages', topic, from, search.value, filter],
    enabled: !isLive && !(needsValue && Number.isNaN(value)),
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) => call('listMessages', { path: { topic }, query: { ...filter, from, value: needsValue ? value : undefined, cursor: pageParam || undefined, limit: 200 }, signal }),
    getNextPageParam: (page) => page.cursor ?? undefined,
    staleTime: Infinity,
  })
  useEffect(() => setArrived([]), [isLive, topic, search.partition, search.search, search.in])
  const connected = useLive<Message[]>(isLive ? address('streamMessages', { topic }, filter) : null, 'messages', (more) =>
    setArrived((old) => [...more.slice().reverse(), ...old].slice(0, liveMax)),
  )
  const pages = query.data?.pages ?? []
  const messages = useMemo(() => (isLive ? arrived : pages.flatMap((page) => page.messages)), [isLive, arrived, pages])
  const scanned = pages.reduce((sum, page) => sum + page.scanned, 0)
  // A search goes on by itself until something is found or the end is reached.
  const hungry = !isLive && Boolean(search.search) && query.hasNextPage && !query.isFetching && messages.length < 50 && !query.error
  useEffect(() => {
    if (hungry) void query.fetchNextPage()
  }, [hungry, query])
  return (
    <>
      <div className="row wrap">
        <select className="select" aria-label="Where to start" value={from} onChange={(event) => set({ from: event.target.value === 'latest' ? undefined : event.target.value, value: undefined })}>
          <option value="latest">Newest first</option>
          <option value="earliest">Oldest first</option>
          <option value="offset">From an offset</option>
          <option value="timestamp">From a time</option>
          <option value="live">Live</option>
        </select>
        {from === 'offset' && <input className="input" style={{ width: 130 }} type="number" min={0} aria-label="Offset" value={search.value ?? '0'} onChange={(event) => set({ value: event.target.value })} />}
        {from === 'timestamp' && <input className="input" type="datetime-local" step={1} aria-label="Time" value={search.value ?? ''} onChange={(event) => set({ value: event.target.value })} />}
        <select className="select" aria-label="Partition" value={search.partition ?? ''} onChange={(event) => set({ partition: event.target.value || undefined })}>
          <option value="">All partitions</option>
          {Array.from({ length: Math.min(partitions, 500) }, (_, i) => <option key={i} value={i}>Partition {i}</option>)}
        </select>
        <Search label="Search messages" value={text} onChange={setText} />
        <select className="select hide-phone" aria-label="Where to search" value={search.in ?? 'any'} onChange={(event) => set({ in: event.target.value === 'any' ? undefined : event.target.value })}>
          <option value="any">anywhere</option>
          <option value="key">in keys</option>
          <option value="value">in values</option>
          <option value="headers">in headers</option>
        </select>
        <span className="grow muted num" role="status">
          {isLive ? <Badge tone={connected ? 'good' : ''}>{connected ? 'live' : 'connecting'}</Badge> : query.isFetching ? <span className="row"><i className="spin" />{search.search ? `${count(scanned)} searched` : 'reading'}</span> : search.search ? `${count(messages.length)} found in ${count(scanned)}` : ''}
        </span>
        {!isLive && <Button tone="bare" icon="refresh" aria-label="Read again" title="Read again" onClick={() => void query.refetch()} />}
        {may && <Button icon="upload" onClick={() => setProducing({})}>Send</Button>}
      </div>
      <ProblemNote problem={query.error} />
      <section className="card" style={{ flex: 1, minHeight: 300, display: 'flex', flexDirection: 'column' }}>
        {messages.length === 0 && (isLive || !query.isFetching) ? (
          <Empty icon="events" title={isLive ? 'Waiting for messages' : search.search ? 'Nothing found' : 'No messages here'}>
            {isLive ? 'What arrives from now on appears here at once.' : search.search ? `${count(scanned)} messages were read, and none holds that text.` : 'Send one, or read from another place.'}
          </Empty>
        ) : (
          <VirtualList items={messages} height={32} label="Messages" onEnd={() => { if (!isLive && query.hasNextPage && !query.isFetching && !query.error) void query.fetchNextPage() }}>
            {(message) => (
              <button type="button" className="msg" onClick={() => setOpen(message)}>
                <span className="muted hide-phone">{time(message.timestamp_millis)}</span>
                <span className="muted">{message.partition}:{message.offset}</span>
                <span className="hide-phone"><Marked text={oneLine(message.key, message.key_encoding)} search={search.search ?? ''} /></span>
                <span><Marked text={decodedLine(message, decoders) ?? oneLine(message.value, message.value_encoding)} search={search.search ?? ''} /></span>
              </button>
            )}
          </VirtualList>
        )}
      </section>
      {open && <MessageDrawer topic={topic} message={open} onClose={() => setOpen(null)} onProduce={(like) => { setOpen(null); setProducing({ like }) }} />}
      {producing && <Produce topic={topic} like={producing.like} onClose={() => setProducing(null)} />}
    </>
  )
}

// ---- The other tabs.

function Partitions({ data }: { data: TopicDetail }) {
  return (
    <section className="card scroll" tabIndex={0}>
      <table className="table">
        <thead>
          <tr><th>Partition</th><th className="right">Start</th><th className="right">End</th><th className="right">Messages</th><th className="right">Size</th><th>Leader</th><th>Copies</th><th>In sync</th></tr>
        </thead>
        <tbody>
          {data.partitions.map((row) => (
            <tr key={row.partition}>
              <td>{row.partition}</td>
              <td className="right">{count(row.start)}</td>
              <td className="right">{count(row.end)}</td>
              <td className="right">{count(row.end - row.start)}</td>
              <td className="right">{bytes(row.bytes)}</td>
              <td>{row.leader < 0 ? <Badge tone="bad">none</Badge> : row.leader}</td>
              <td>{row.replicas}</td>
              <td>{row.in_sync}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Settings({ topic, data }: { topic: string; data: TopicDetail }) {
  const client = useQueryClient()
  const may = useMay('operator')
  const [editing, setEditing] = useState<TopicDetail['settings'][number] | null>(null)
  const [value, setValue] = useState('')
  const save = async (to: string | null) => {
    await call('changeTopic', { path: { topic }, body: { config: { [editing!.name]: to } } })
    await client.invalidateQueries({ queryKey: ['topic', topic] })
  }
  return (
    <section className="card scroll" tabIndex={0}>
      <table className="table">
        <thead><tr><th>Setting</th><th>Value</th><th className="hide-phone">What it does</th><th /></tr></thead>
        <tbody>
          {data.settings.map((row) => (
            <tr key={row.name}>
              <td className="mono">{row.name}</td>
              <td className="mono">{row.value === '' ? <i className="muted">empty</i> : row.value} {row.is_set && <Badge tone="plain">set here</Badge>}</td>
              <td className="muted hide-phone">{row.about}</td>
              <td className="right">{may && <Button tone="bare" small onClick={() => { setEditing(row); setValue(row.value) }}>Change</Button>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {editing && (
        <Dialog title={editing.name} about={editing.about} onClose={() => setEditing(null)} submit={{ label: 'Save', run: () => save(value) }}>
          <Field label="Value" hint={`${editing.allowed ? `one of ${editing.allowed.replaceAll('|', ', ')}; ` : ''}default: ${editing.fallback || 'empty'}`}>
            <input className="input mono" value={value} autoFocus onChange={(event) => setValue(event.target.value)} />
          </Field>
          {editing.is_set && <div><Button small onClick={() => void save(null).then(() => setEditing(null), toastProblem)}>Back to the default</Button></div>}
        </Dialog>
      )}
    </section>
  )
}

function Readers({ data }: { data: TopicDetail }) {
  if (data.groups.length === 0) return <Empty icon="user" title="No group reads this topic">Groups appear once a consumer has committed its place.</Empty>
  return (
    <section className="card scroll" tabIndex={0}>
      <table className="table">
        <thead><tr><th>Group</th><th>State</th><th className="right">Lag</th></tr></thead>
        <tbody>
          {data.groups.map((row) => (
            <tr key={row.group}>
              <td><Link to="/events/groups/$group" params={{ group: row.group }}>{row.group}</Link></td>
              <td><StateBadge state={row.state} /></td>
              <td className="right">{count(row.lag)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

export function TopicPage() {
  const { topic } = useParams({ from: '/events/topics/$topic' })
  const search = useSearch({ from: '/events/topics/$topic' })
  const navigate = useNavigate()
  const client = useQueryClient()
  const session = useSession()
  const may = useMay('operator')
  const [asking, setAsking] = useState<'delete' | 'purge' | 'partitions' | null>(null)
  const [total, setTotal] = useState('')
  const query = useQuery({ queryKey: ['topic', topic], queryFn: () => call('getTopic', { path: { topic } }), refetchInterval: 3000 })
  const tab = search.tab ?? 'messages'
  const tabs = [['messages', 'Messages'], ['partitions', 'Partitions'], ['groups', 'Readers'], ['settings', 'Settings'], ['decoders', 'Decoders']] as const
  return (
    <Page>
      <Head title={topic} crumbs={[{ label: 'Events', to: '/events' }]} badge={query.data && (query.data.topic.internal ? <Badge>internal</Badge> : null)}>
        {may && query.data && !query.data.topic.internal && (
          <>
            {session.jobs && <Link className="button hide-phone" to="/jobs/new" search={{ topic }}>Make this a table</Link>}
            <Menu
              label="More"
              items={[
                { label: 'More partitions', icon: 'plus', run: () => { setTotal(String(query.data.topic.partitions + 1)); setAsking('partitions') } },
                { label: 'Remove all messages', icon: 'trash', bad: true, run: () => setAsking('purge') },
                { label: 'Delete the topic', icon: 'trash', bad: true, run: () => setAsking('delete') },
              ]}
            />
          </>
        )}
      </Head>
      <Loaded query={query}>
        {(data) => (
          <>
            <div className="tiles">
              <Tile label="Messages" value={count(data.topic.messages)} />
              <Tile label="Size" value={bytes(data.topic.bytes)} note={`in ${data.topic.copies} ${data.topic.copies === 1 ? 'copy' : 'copies'}`} />
              <Tile label="Partitions" value={count(data.topic.partitions)} />
              <Tile label="Largest lag" value={count(Math.max(0, ...data.groups.map((group) => group.lag)))} note={`${data.groups.length} ${data.groups.length === 1 ? 'group' : 'groups'}`} />
            </div>
            <nav className="tabs own" aria-label="Topic">
              {tabs.map(([name, label]) => (
                <Link key={name} to="/events/topics/$topic" params={{ topic }} search={name === 'messages' ? {} : { tab: name }} data-state={tab === name ? 'active' : undefined}>{label}</Link>
              ))}
            </nav>
            {tab === 'messages' && <Messages topic={topic} partitions={data.topic.partitions} />}
            {tab === 'partitions' && <Partitions data={data} />}
            {tab === 'groups' && <Readers data={data} />}
            {tab === 'decoders' && <Decoders topic={topic} />}
            {tab === 'settings' && <Settings topic={topic} data={data} />}
          </>
        )}
      </Loaded>
      {asking === 'delete' && <Confirm title="Delete the topic" about="Its messages go with it, for good." word={topic} label="Delete" onClose={() => setAsking(null)} run={async () => { await call('deleteTopic', { path: { topic } }); await client.invalidateQueries({ queryKey: ['topics'] }); await navigate({ to: '/events' }) }} />}
      {asking === 'purge' && <Confirm title="Remove all messages" about="The topic and its settings stay; its messages go for good." word={topic} label="Remove" onClose={() => setAsking(null)} run={async () => { await call('purgeTopic', { path: { topic } }); await client.invalidateQueries() }} />}
      {asking === 'partitions' && (
        <Dialog title="More partitions" about="There is no way back to fewer, and keys may move to other partitions." onClose={() => setAsking(null)} submit={{ label: 'Add', run: async () => { await call('changeTopic', { path: { topic }, body: { partitions: Number(total) } }); await client.invalidateQueries({ queryKey: ['topic', topic] }) } }}>
          <Field label="Partitions in all"><input className="input" type="number" min={1} value={total} autoFocus onChange={(event) => setTotal(event.target.value)} /></Field>
        </Dialog>
      )}
    </Page>
  )
}
