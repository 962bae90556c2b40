import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { call } from '../api/client'
import type { GroupDetail } from '../api/types'
import { bytes, count } from '../lib/format'
import { useMay } from '../lib/session'
import { Head, Page, Tile } from '../ui/page'
import { Badge, Button, Confirm, Dialog, Empty, Field, Loaded, Menu, Search, StateBadge } from '../ui/parts'
import { EventTabs } from './events'

const groupsMax = 500

export function GroupsPage() {
  const [text, setText] = useState('')
  const query = useQuery({ queryKey: ['groups'], queryFn: () => call('listGroups'), refetchInterval: 3000 })
  return (
    <Page>
      <Head title="Events">
        <Search label="Search groups" value={text} onChange={setText} />
      </Head>
      <EventTabs />
      <Loaded query={query}>
        {(data) => {
          const shown = data.groups.filter((group) => group.name.includes(text))
          return shown.length === 0 ? (
            <Empty icon="user" title={text ? 'No group has that name' : 'No consumer groups'}>A group appears when its first consumer joins, or commits its place.</Empty>
          ) : (
            <section className="card scroll" tabIndex={0}>
              <table className="table">
                <thead><tr><th>Group</th><th>State</th><th className="right">Members</th><th className="right hide-phone">Topics</th><th className="right">Lag</th></tr></thead>
                <tbody>
                  {shown.slice(0, groupsMax).map((group) => (
                    <tr key={group.name}>
                      <td><Link to="/events/groups/$group" params={{ group: group.name }}>{group.name}</Link></td>
                      <td><StateBadge state={group.state} /></td>
                      <td className="right">{count(group.members)}</td>
                      <td className="right hide-phone">{count(group.topics)}</td>
                      <td className="right">{count(group.lag)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
              {shown.length > groupsMax && <p className="body muted">The first {count(groupsMax)} of {count(shown.length)} groups: search for the others.</p>}
            </section>
          )
        }}
      </Loaded>
    </Page>
  )
}

function Reset({ group, data, onClose }: { group: string; data: GroupDetail; onClose: () => void }) {
  const client = useQueryClient()
  const topics = useMemo(() => [...new Set(data.offsets.map((row) => row.topic))], [data])
  const [topic, setTopic] = useState(topics[0] ?? '')
  const [partition, setPartition] = useState('')
  const [to, setTo] = useState('earliest')
  const [value, setValue] = useState('')
  const number = to === 'timestamp' ? Date.parse(value) : Number(value)
  const needs = to === 'offset' || to === 'timestamp'
  return (
    <Dialog
      title="Move the group"
      about="Its consumers go on reading from the new place. They must be stopped meanwhile."
      onClose={onClose}
      submit={{
        label: 'Move',
        disabled: needs && (value === '' || Number.isNaN(number)),
        run: async () => {
          await call('resetOffsets', { path: { group }, body: { topic, to, value: needs ? number : null, partition: partition === '' ? null : Number(partition) } })
          await client.invalidateQueries({ queryKey: ['group', group] })
        },
      }}
    >
      <Field label="Topic">
        <select className="select" value={topic} onChange={(event) => { setTopic(event.target.value); setPartition('') }}>
          {topics.map((name) => <option key={name}>{name}</option>)}
        </select>
      </Field>
      <Field label="Partition">
        <select className="select" value={partition} onChange={(event) => setPartition(event.target.value)}>
          <option value="">all of them</option>
          {data.offsets.filter((row) => row.topic === topic).map((row) => <option key={row.partition} value={row.partition}>{row.partition}: at {count(row.committed)} of {count(row.end)}</option>)}
        </select>
      </Field>
      <Field label="To">
        <select className="select" value={to} onChange={(event) => setTo(event.target.value)}>
          <option value="earliest">the first message kept</option>
          <option value="latest">the end: skip what is there</option>
          <option value="offset">an offset</option>
          <option value="timestamp">a time</option>
        </select>
      </Field>
      {needs && (
        <Field label={to === 'offset' ? 'Offset' : 'Time'}>
          <input className="input" type={to === 'offset' ? 'number' : 'datetime-local'} step={1} value={value} onChange={(event) => setValue(event.target.value)} />
        </Field>
      )}
    </Dialog>
  )
}

export function GroupPage() {
  const { group } = useParams({ from: '/events/groups/$group' })
  const navigate = useNavigate()
  const client = useQueryClient()
  const may = useMay('operator')
  const [asking, setAsking] = useState<'delete' | 'reset' | null>(null)
  const query = useQuery({ queryKey: ['group', group], queryFn: () => call('getGroup', { path: { group } }), refetchInterval: 2000 })
  return (
    <Page>
      <Head title={group} crumbs={[{ label: 'Events', to: '/events' }, { label: 'Groups', to: '/events/groups' }]} badge={query.data && <StateBadge state={query.data.group.state} />}>
        {may && query.data && query.data.offsets.length > 0 && <Button icon="history" onClick={() => setAsking('reset')}>Move</Button>}
        {may && <Menu label="More" items={[{ label: 'Delete the group', icon: 'trash', bad: true, run: () => setAsking('delete') }]} />}
      </Head>
      <Loaded query={query}>
        {(data) => (
          <>
            <div className="tiles">
              <Tile label="Lag" value={count(data.group.lag)} note="messages not read yet" />
              <Tile label="Members" value={count(data.group.members)} note={data.protocol || undefined} />
              <Tile label="Partitions" value={count(data.offsets.length)} />
            </div>
            <section className="card scroll" tabIndex={0}>
              <header><h2>Places</h2></header>
              <table className="table">
                <thead><tr><th>Topic</th><th className="right">Partition</th><th className="right">Committed</th><th className="right">End</th><th className="right">Lag</th></tr></thead>
                <tbody>
                  {data.offsets.map((row) => (
                    <tr key={`${row.topic} ${row.partition}`}>
                      <td><Link to="/events/topics/$topic" params={{ topic: row.topic }}>{row.topic}</Link></td>
                      <td className="right">{row.partition}</td>
                      <td className="right">{count(row.committed)}</td>
                      <td className="right">{count(row.end)}</td>
                      <td className="right">{count(row.lag)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </section>
            {data.members.length > 0 && (
              <section className="card scroll" tabIndex={0}>
                <header><h2>Members</h2></header>
                <table className="table">
                  <thead><tr><th>Client</th><th>Address</th><th className="hide-phone">Id</th></tr></thead>
                  <tbody>
                    {data.members.map((row) => (
                      <tr key={row.id}><td>{row.client}</td><td className="mono">{row.host}</td><td className="mono truncate hide-phone" title={row.id}>{row.id}</td></tr>
                    ))}
                  </tbody>
                </table>
              </section>
            )}
            {asking === 'reset' && <Reset group={group} data={data} onClose={() => setAsking(null)} />}
          </>
        )}
      </Loaded>
      {asking === 'delete' && <Confirm title="Delete the group" about="Its committed places are forgotten." label="Delete" onClose={() => setAsking(null)} run={async () => { await call('deleteGroup', { path: { group } }); await client.invalidateQueries({ queryKey: ['groups'] }); await navigate({ to: '/events/groups' }) }} />}
    </Page>
  )
}

export function BrokersPage() {
  const query = useQuery({ queryKey: ['brokers'], queryFn: () => call('listBrokers'), refetchInterval: 5000 })
  return (
    <Page>
      <Head title="Events" />
      <EventTabs />
      <Loaded query={query}>
        {(data) => (
          <section className="card scroll" tabIndex={0}>
            <header><h2 className="grow">Brokers</h2><span className="muted mono">{data.cluster_id}</span></header>
            <table className="table">
              <thead><tr><th>Id</th><th>State</th><th>Directory</th><th className="right">Free</th></tr></thead>
              <tbody>
                {data.brokers.map((row) => (
                  <tr key={row.id}>
                    <td>{row.id}</td>
                    <td><Badge tone={row.online ? 'good' : 'bad'}>{row.online ? 'online' : 'away'}</Badge></td>
                    <td className="mono">{row.path}</td>
                    <td className="right">{bytes(row.free_bytes)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        )}
      </Loaded>
    </Page>
  )
}
