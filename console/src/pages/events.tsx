import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { call } from '../api/client'
import { bytes, count, plural } from '../lib/format'
import { useMay } from '../lib/session'
import { Head, Page } from '../ui/page'
import { Badge, Button, Dialog, Empty, Field, Loaded, Search, VirtualList } from '../ui/parts'

export function EventTabs() {
  return (
    <nav className="tabs" aria-label="Events">
      <Link to="/events" activeOptions={{ exact: true, includeSearch: false }}>Topics</Link>
      <Link to="/events/groups">Consumer groups</Link>
      <Link to="/events/brokers">Brokers</Link>
    </nav>
  )
}

export function CreateTopic({ onClose }: { onClose: () => void }) {
  const client = useQueryClient()
  const navigate = useNavigate()
  const [name, setName] = useState('')
  const [partitions, setPartitions] = useState('3')
  const [retention, setRetention] = useState('')
  return (
    <Dialog
      title="Create a topic"
      onClose={onClose}
      submit={{
        label: 'Create',
        disabled: name === '',
        run: async () => {
          const config: Record<string, string> = {}
          if (retention) config['retention.ms'] = String(Number(retention) * 3_600_000)
          await call('createTopic', { body: { name, partitions: Number(partitions), config } })
          await client.invalidateQueries({ queryKey: ['topics'] })
          await navigate({ to: '/events/topics/$topic', params: { topic: name } })
        },
      }}
    >
      <Field label="Name">
        <input className="input" value={name} autoFocus required pattern="[a-zA-Z0-9._\-]{1,249}" title="Letters, digits, dot, underscore, dash" onChange={(event) => setName(event.target.value)} />
      </Field>
      <div className="row" style={{ alignItems: 'start' }}>
        <Field label="Partitions" hint="more of them let more consumers read at once">
          <input className="input" type="number" min={1} max={10000} value={partitions} onChange={(event) => setPartitions(event.target.value)} />
        </Field>
        <Field label="Keep messages for (hours)" hint="empty: seven days">
          <input className="input" type="number" min={1} value={retention} onChange={(event) => setRetention(event.target.value)} />
        </Field>
      </div>
    </Dialog>
  )
}

export function TopicsPage() {
  const search = useSearch({ from: '/events' })
  const navigate = useNavigate({ from: '/events' })
  const may = useMay('operator')
  const [creating, setCreating] = useState(false)
  const set = (change: Record<string, string | undefined>) => void navigate({ search: (old: Record<string, string | undefined>) => ({ ...old, ...change }), replace: true })
  const query = useQuery({
    queryKey: ['topics', search.q, search.internal],
    queryFn: async () => {
      // The list comes in pieces of a thousand; all names are needed for the scroll bar to be true.
      const all = await call('listTopics', { query: { search: search.q, internal: search.internal === 'true' } })
      while (all.topics.length < all.total) {
        const more = await call('listTopics', { query: { search: search.q, internal: search.internal === 'true', offset: all.topics.length } })
        if (more.topics.length === 0) break
        all.topics.push(...more.topics)
      }
      return all
    },
    refetchInterval: (asked) => ((asked.state.data?.total ?? 0) > 2000 ? 30_000 : 5000),
    placeholderData: (before) => before,
  })
  return (
    <Page>
      <Head title="Events" badge={query.data && <Badge tone="plain">{plural(query.data.total, 'topic')}</Badge>}>
        <Search label="Search topics" value={search.q ?? ''} onChange={(q) => set({ q: q || undefined })} />
        <label className="check hide-phone">
          <input type="checkbox" checked={search.internal === 'true'} onChange={(event) => set({ internal: event.target.checked ? 'true' : undefined })} />
          internal
        </label>
        {may && <Button tone="primary" icon="plus" onClick={() => setCreating(true)}>Create topic</Button>}
      </Head>
      <EventTabs />
      <Loaded query={query}>
        {(data) =>
          data.topics.length === 0 ? (
            <Empty icon="events" title={search.q ? 'No topic has that name' : 'No topics yet'} action={may && !search.q && <Button tone="primary" icon="plus" onClick={() => setCreating(true)}>Create topic</Button>}>
              {search.q ? 'Try fewer letters.' : 'A topic holds events in the order they arrived. Kafka clients make them too.'}
            </Empty>
          ) : (
            <section className="card" style={{ display: 'flex', flexDirection: 'column', flex: 1, minHeight: 300 }}>
              <div className="topic-row table-head" aria-hidden="true">
                <span>Topic</span><span className="right">Messages</span><span className="right hide-phone">Size</span><span className="right hide-phone">Partitions</span><span className="right hide-phone">State</span>
              </div>
              <VirtualList items={data.topics} height={38} label="Topics">
                {(topic) => (
                  <div className="topic-row grow">
                    <Link className="truncate" to="/events/topics/$topic" params={{ topic: topic.name }}>{topic.name}</Link>
                    <span className="right num">{count(topic.messages)}</span>
                    <span className="right num muted hide-phone">{bytes(topic.bytes)}</span>
                    <span className="right num muted hide-phone">{count(topic.partitions)}</span>
                    <span className="right hide-phone">{topic.internal ? <Badge>internal</Badge> : <Badge tone={topic.healthy ? 'good' : 'warn'}>{topic.healthy ? 'in sync' : 'catching up'}</Badge>}</span>
                  </div>
                )}
              </VirtualList>
            </section>
          )
        }
      </Loaded>
      {creating && <CreateTopic onClose={() => setCreating(false)} />}
    </Page>
  )
}
