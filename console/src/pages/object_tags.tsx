// Tags of an object: shown, and changed all at once.
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../api/client'
import type { ObjectDetail } from '../api/types'
import { useMay } from '../lib/session'
import { Badge, Button, Dialog } from '../ui/parts'

const tagsMax = 10

export function Tags({ bucket, detail }: { bucket: string; detail: ObjectDetail }) {
  const may = useMay('operator')
  const [editing, setEditing] = useState(false)
  const pairs = Object.entries(detail.tags)
  if (!may && pairs.length === 0) return null
  return (
    <>
      <dt>Tags</dt>
      <dd className="row wrap">
        {pairs.map(([key, value]) => <Badge key={key} tone="plain">{value ? `${key}: ${value}` : key}</Badge>)}
        {may && <Button tone="bare" small icon={pairs.length ? 'edit' : 'plus'} aria-label="Change the tags" title="Change the tags" onClick={() => setEditing(true)} />}
      </dd>
      {editing && <TagsDialog bucket={bucket} detail={detail} onClose={() => setEditing(false)} />}
    </>
  )
}

function TagsDialog({ bucket, detail, onClose }: { bucket: string; detail: ObjectDetail; onClose: () => void }) {
  const client = useQueryClient()
  const [rows, setRows] = useState<[string, string][]>(() => [...Object.entries(detail.tags).map(([key, value]): [string, string] => [key, value ?? '']), ['', '']].slice(0, tagsMax) as [string, string][])
  const set = (at: number, key: string, value: string) => setRows((old) => {
    const next = old.map((row, i): [string, string] => (i === at ? [key, value] : row))
    return next.every((row) => row[0]) && next.length < tagsMax ? [...next, ['', '']] : next
  })
  const given = rows.filter(([key]) => key)
  const twice = new Set(given.map(([key]) => key)).size < given.length
  const run = async () => {
    await call('tagObject', { path: { bucket }, body: { key: detail.key, tags: Object.fromEntries(given) } })
    await client.invalidateQueries({ queryKey: ['object', bucket, detail.key] })
  }
  return (
    <Dialog title="Tags of the object" about="Up to ten. S3 clients see them too." onClose={onClose} submit={{ label: 'Save', disabled: twice, run }}>
      {rows.map(([key, value], i) => (
        <div key={i} className="row">
          <input className="input grow" aria-label={`Tag ${i + 1}`} placeholder="tag" value={key} maxLength={128} autoFocus={i === 0} onChange={(event) => set(i, event.target.value, value)} />
          <input className="input grow" aria-label={`Value of tag ${i + 1}`} placeholder="value" value={value} maxLength={256} onChange={(event) => set(i, key, event.target.value)} />
        </div>
      ))}
      {twice && <p className="muted">A tag is there twice.</p>}
    </Dialog>
  )
}
