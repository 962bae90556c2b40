// Statements that are kept on the server: one's own and the shared ones.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../api/client'
import type { SavedQuery } from '../api/types'
import { ago } from '../lib/format'
import { useMay, useSession } from '../lib/session'
import type { Sheet } from '../lib/sheets'
import { Badge, Button, Confirm, Dialog, Drawer, Empty, Field, Loaded, Search } from '../ui/parts'

const useSaved = () => useQuery({ queryKey: ['saved'], queryFn: () => call('listSavedQueries') })

function useMayChange() {
  const { user, role } = useSession()
  return (one: SavedQuery) => one.owner === user || (one.shared && role === 'admin')
}

export function Saved({ onClose, onOpen }: { onClose: () => void; onOpen: (query: SavedQuery) => void }) {
  const query = useSaved()
  const client = useQueryClient()
  const mayChange = useMayChange()
  const [search, setSearch] = useState('')
  const [removing, setRemoving] = useState<SavedQuery | null>(null)
  const matches = (one: SavedQuery) => [one.name, one.owner, one.sql].some((text) => text.toLowerCase().includes(search.toLowerCase()))
  return (
    <Drawer title="Kept statements" onClose={onClose}>
      <Loaded query={query}>
        {({ queries }) =>
          queries.length === 0 ? <Empty icon="star" title="None yet">Keep puts the statement of the sheet here, for yourself or for everybody.</Empty> : (
            <div className="stack">
              <Search value={search} onChange={setSearch} label="Search kept statements" />
              {queries.filter(matches).map((one) => (
                <div key={one.id} className="kept">
                  <button type="button" className="grow" onClick={() => onOpen(one)}>
                    <span className="row"><b className="truncate">{one.name}</b>{one.shared && <Badge tone="plain">shared</Badge>}</span>
                    <span className="muted truncate" style={{ display: 'block' }}>{one.owner} · {ago(one.changed_millis)}{one.changed_by !== one.owner && ` by ${one.changed_by}`}{one.schema && ` · ${one.schema}`}</span>
                    <pre>{one.sql.slice(0, 400)}</pre>
                  </button>
                  {mayChange(one) && <Button tone="bare" small icon="trash" aria-label={`Remove ${one.name}`} title="Remove" onClick={() => setRemoving(one)} />}
                </div>
              ))}
            </div>
          )
        }
      </Loaded>
      {removing && <Confirm title="Remove the kept statement?" about={removing.shared ? `${removing.name} goes for everybody.` : removing.name} label="Remove" onClose={() => setRemoving(null)} run={async () => { await call('removeSavedQuery', { path: { id: removing.id } }); await client.invalidateQueries({ queryKey: ['saved'] }) }} />}
    </Drawer>
  )
}

export function Keep({ sheet, sql, schema, onClose, onKept }: { sheet: Sheet; sql: string; schema: string; onClose: () => void; onKept: (query: SavedQuery) => void }) {
  const saved = useSaved()
  return <Loaded query={saved}>{({ queries }) => <KeepDialog before={queries.find((one) => one.id === sheet.saved?.id)} {...{ sheet, sql, schema, onClose, onKept }} />}</Loaded>
}

function KeepDialog({ before, sheet, sql, schema, onClose, onKept }: { before: SavedQuery | undefined; sheet: Sheet; sql: string; schema: string; onClose: () => void; onKept: (query: SavedQuery) => void }) {
  const client = useQueryClient()
  const mayShare = useMay('operator')
  const mayChange = useMayChange()
  const [name, setName] = useState(before?.name ?? sheet.name)
  const [shared, setShared] = useState(before?.shared ?? false)
  const replaces = before && sheet.saved && mayChange(before) && name.trim() === before.name ? before : null
  const run = async () => {
    const body = { name: name.trim(), sql, schema, shared }
    const kept = replaces
      ? await call('changeSavedQuery', { path: { id: replaces.id }, body: { ...body, version: sheet.saved!.version } })
      : await call('saveQuery', { body })
    await client.invalidateQueries({ queryKey: ['saved'] })
    onKept(kept)
  }
  return (
    <Dialog title="Keep the statement" onClose={onClose} submit={{ label: replaces ? 'Replace' : 'Keep', disabled: !name.trim() || !sql.trim(), run }}>
      <Field label="Name" hint={replaces ? `Takes the place of what ${replaces.owner} kept under this name.` : 'Kept on the platform, under this name.'}>
        <input className="input" value={name} autoFocus maxLength={120} onChange={(event) => setName(event.target.value)} />
      </Field>
      <label className="row">
        <input type="checkbox" checked={shared} disabled={!mayShare} onChange={(event) => setShared(event.target.checked)} />
        Shared: everybody who signs in may open it
      </label>
    </Dialog>
  )
}
