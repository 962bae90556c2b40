import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { call } from '../api/client'
import type { AccessKey, User } from '../api/types'
import { parseMetrics } from '../lib/metrics'
import { count } from '../lib/format'
import { useMay, useSession } from '../lib/session'
import { Head, Page } from '../ui/page'
import { Badge, Button, Confirm, Copy, Dialog, Empty, Field, Loaded, Search } from '../ui/parts'
import { Audit } from './admin_audit'

function UserDialog({ user, onClose }: { user: User | null; onClose: () => void }) {
  const client = useQueryClient()
  const [name, setName] = useState(user?.name ?? '')
  const [password, setPassword] = useState('')
  const [role, setRole] = useState(user?.role ?? 'viewer')
  return (
    <Dialog
      title={user ? user.name : 'Add a user'}
      onClose={onClose}
      submit={{
        label: user ? 'Save' : 'Add',
        disabled: !name || (!user && !password),
        run: async () => {
          await call('changeUser', { path: { user: name }, body: { password: password || null, role } })
          await client.invalidateQueries({ queryKey: ['users'] })
        },
      }}
    >
      {!user && <Field label="Name"><input className="input" value={name} autoFocus autoComplete="off" onChange={(event) => setName(event.target.value)} /></Field>}
      <Field label="Role" hint={{ viewer: 'reads everything, and runs statements that read', operator: 'also changes data: topics, tables, objects, jobs', admin: 'also users, keys, configuration and the log' }[role]}>
        <select className="select" value={role} onChange={(event) => setRole(event.target.value)}>
          <option>viewer</option><option>operator</option><option>admin</option>
        </select>
      </Field>
      <Field label={user ? 'New password' : 'Password'} hint={user ? 'empty: it stays. A new one signs the user out everywhere.' : undefined}>
        <input className="input" type="password" autoComplete="new-password" value={password} onChange={(event) => setPassword(event.target.value)} />
      </Field>
    </Dialog>
  )
}

function KeyDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient()
  const [id, setId] = useState('')
  const [secret, setSecret] = useState(() => Array.from(crypto.getRandomValues(new Uint8Array(30)), (byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'[byte % 62]).join(''))
  return (
    <Dialog title="Add an access key" about="For S3 clients, in your name. The secret is not shown again." onClose={onClose} submit={{ label: 'Add', disabled: !id, run: async () => { await call('addAccessKey', { body: { id, secret } }); await client.invalidateQueries({ queryKey: ['users'] }) } }}>
      <Field label="Access key"><input className="input mono" value={id} autoFocus onChange={(event) => setId(event.target.value)} /></Field>
      <Field label="Secret key"><input className="input mono" value={secret} onChange={(event) => setSecret(event.target.value)} /></Field>
    </Dialog>
  )
}

function Users() {
  const client = useQueryClient()
  const me = useSession()
  const [editing, setEditing] = useState<User | 'new' | 'key' | null>(null)
  const [removing, setRemoving] = useState<User | AccessKey | null>(null)
  const query = useQuery({ queryKey: ['users'], queryFn: () => call('listUsers') })
  const again = () => client.invalidateQueries({ queryKey: ['users'] })
  return (
    <Loaded query={query}>
      {(data) => (
        <>
          <section className="card scroll" tabIndex={0}>
            <header><h2 className="grow">Users</h2><Button small icon="plus" onClick={() => setEditing('new')}>Add user</Button></header>
            <table className="table">
              <thead><tr><th>Name</th><th>Role</th><th /></tr></thead>
              <tbody>
                {data.users.map((user) => (
                  <tr key={user.name}>
                    <td>{user.name} {user.name === me.user && <Badge tone="plain">you</Badge>}</td>
                    <td>{user.role}</td>
                    <td className="right"><Button tone="bare" small onClick={() => setEditing(user)}>Change</Button>{user.name !== me.user && <Button tone="bare bad" small onClick={() => setRemoving(user)}>Remove</Button>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
          <section className="card scroll" tabIndex={0}>
            <header><h2 className="grow">S3 access keys</h2><Button small icon="plus" onClick={() => setEditing('key')}>Add key</Button></header>
            <table className="table">
              <thead><tr><th>Key</th><th>User</th><th /></tr></thead>
              <tbody>
                {data.access_keys.map((key) => (
                  <tr key={key.id}><td className="mono">{key.id}</td><td>{key.user}</td><td className="right"><Button tone="bare bad" small onClick={() => setRemoving(key)}>Remove</Button></td></tr>
                ))}
              </tbody>
            </table>
          </section>
          {editing === 'key' && <KeyDialog onClose={() => setEditing(null)} />}
          {editing && editing !== 'key' && <UserDialog user={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />}
          {removing && 'role' in removing && <Confirm title={`Remove ${removing.name}`} about="The user is signed out at once." label="Remove" onClose={() => setRemoving(null)} run={async () => { await call('removeUser', { path: { user: removing.name } }); await again() }} />}
          {removing && 'id' in removing && <Confirm title={`Remove the key ${removing.id}`} about="Clients that use it are refused from now on." label="Remove" onClose={() => setRemoving(null)} run={async () => { await call('removeAccessKey', { path: { id: removing.id } }); await again() }} />}
        </>
      )}
    </Loaded>
  )
}

function Config({ text }: { text: string }) {
  const query = useQuery({ queryKey: ['config'], queryFn: () => call('getConfig') })
  return (
    <Loaded query={query}>
      {(data) => (
        <section className="card scroll" tabIndex={0}>
          <table className="table">
            <thead><tr><th>Key</th><th>Value</th><th className="hide-phone">Meaning</th></tr></thead>
            <tbody>
              {data.keys.filter((key) => `${key.name} ${key.about}`.includes(text)).map((key) => (
                <tr key={key.name}>
                  <td className="mono">{key.name}</td>
                  <td className="mono">{key.value || <i className="muted">empty</i>} {key.value !== key.fallback && <Badge tone="plain">default {key.fallback || 'empty'}</Badge>}</td>
                  <td className="muted hide-phone">{key.about} <span style={{ color: 'var(--faint)' }}>({key.kind})</span></td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </Loaded>
  )
}

function Rules() {
  const query = useQuery({ queryKey: ['access rules'], queryFn: () => call('getAccessRules') })
  return (
    <Loaded query={query}>
      {(data) =>
        data.files.length === 0 ? (
          <Empty icon="user" title="No access rules">What somebody may do in SQL is what the role allows. The key sql.access_rules names a file of rules: catalogs, tables, columns, row filters and masks.</Empty>
        ) : (
          <>
            <p className="note">As the files are now. Those in force were read when the platform started.</p>
            {data.files.map((file) => (
              <section className="card" key={file.key}>
                <header><h2 className="grow mono">{file.path}</h2><Badge tone="plain">{file.key}</Badge><Copy text={file.text} label={`Copy ${file.key}`} /></header>
                <div className="body"><pre tabIndex={0} aria-label={file.key}>{file.text}</pre></div>
              </section>
            ))}
          </>
        )
      }
    </Loaded>
  )
}

function Metrics({ text }: { text: string }) {
  const query = useQuery({ queryKey: ['metrics'], queryFn: () => call('getMetrics'), refetchInterval: 3000 })
  const rows = useMemo(() => parseMetrics(query.data?.text ?? ''), [query.data])
  return (
    <Loaded query={query}>
      {() => (
        <section className="card scroll" tabIndex={0}>
          <table className="table">
            <thead><tr><th>Figure</th><th className="right">Value</th><th className="hide-phone">What it counts</th></tr></thead>
            <tbody>
              {rows.filter((row) => `${row.name} ${row.help}`.includes(text)).map((row) => (
                <tr key={row.name + row.labels}>
                  <td className="mono">{row.name}{row.labels && <span className="muted"> {row.labels}</span>}</td>
                  <td className="right mono">{count(row.value)}</td>
                  <td className="muted hide-phone">{row.help}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </Loaded>
  )
}

function Logs({ text, level }: { text: string; level: string }) {
  const query = useQuery({ queryKey: ['logs', text, level], queryFn: () => call('getLogs', { query: { search: text, level, limit: 500 } }), refetchInterval: 2000, placeholderData: (before) => before })
  return (
    <Loaded query={query}>
      {(data) =>
        data.lines.length === 0 ? <Empty icon="check" title="No such lines">Nothing of that kind was logged since the platform started.</Empty> : (
          <section className="card scroll" tabIndex={0}>
            <table className="table">
              <tbody>
                {data.lines.map((line, i) => (
                  <tr key={data.lines.length - i}>
                    <td className="mono muted" style={{ whiteSpace: 'nowrap' }}>{line.time.slice(11, 23)}</td>
                    <td><Badge tone={line.level === 'error' ? 'bad' : line.level === 'warn' ? 'warn' : 'plain'}>{line.level}</Badge></td>
                    <td style={{ maxWidth: 'none', width: '100%' }}>
                      {line.event}
                      <div className="mono muted" style={{ overflowWrap: 'anywhere' }}>{Object.entries(line.fields).map(([key, value]) => `${key}=${value}`).join('  ')}</div>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        )
      }
    </Loaded>
  )
}

export function AdminPage() {
  const search = useSearch({ from: '/admin' })
  const navigate = useNavigate({ from: '/admin' })
  const isAdmin = useMay('admin')
  const tabs = [...(isAdmin ? [['users', 'Users'], ['rules', 'Access rules'], ['config', 'Configuration'], ['logs', 'Log'], ['audit', 'Audit']] : []), ['metrics', 'Metrics']] as [string, string][]
  const tab = tabs.some(([name]) => name === search.tab) ? search.tab! : tabs[0]![0]
  const text = search.q ?? ''
  const set = (change: Record<string, string | undefined>) => void navigate({ search: (old: Record<string, string | undefined>) => ({ ...old, ...change }), replace: true })
  return (
    <Page>
      <Head title="Admin">
        {tab === 'logs' && (
          <select className="select" aria-label="Level" value={search.level ?? 'info'} onChange={(event) => set({ level: event.target.value })}>
            <option value="debug">all levels</option><option value="info">info and above</option><option value="warn">warnings and errors</option><option value="error">errors</option>
          </select>
        )}
        {tab !== 'users' && tab !== 'rules' && <Search label="Search" value={text} onChange={(q) => set({ q: q || undefined })} />}
      </Head>
      <nav className="tabs own" aria-label="Admin">
        {tabs.map(([name, label]) => (
          <Link key={name} to="/admin" search={{ tab: name }} data-state={tab === name ? 'active' : undefined}>{label}</Link>
        ))}
      </nav>
      {tab === 'users' && <Users />}
      {tab === 'rules' && <Rules />}
      {tab === 'config' && <Config text={text} />}
      {tab === 'metrics' && <Metrics text={text} />}
      {tab === 'audit' && <Audit text={text} />}
      {tab === 'logs' && <Logs text={text} level={search.level ?? 'info'} />}
    </Page>
  )
}
