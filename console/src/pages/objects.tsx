import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useEffect, useMemo, useRef, useState } from 'react'
import { address, call } from '../api/client'
import { bytes, count, day, plural, time } from '../lib/format'
import { upload } from '../lib/upload'
import { useMay } from '../lib/session'
import { Preview } from './object_preview'
import { Tags } from './object_tags'
import { Icon } from '../ui/icons'
import { Head, Page } from '../ui/page'
import { Badge, Button, Confirm, Copy, Dialog, Drawer, Empty, Field, Loaded, Menu, ProblemNote, Search, VirtualList, errorText, toast, toastProblem } from '../ui/parts'

export function BucketsPage() {
  const client = useQueryClient()
  const may = useMay('operator')
  const [creating, setCreating] = useState(false)
  const [name, setName] = useState('')
  const [removing, setRemoving] = useState<string | null>(null)
  const query = useQuery({ queryKey: ['buckets'], queryFn: () => call('listBuckets') })
  return (
    <Page>
      <Head title="Objects" badge={query.data && <Badge tone="plain">{plural(query.data.buckets.length, 'bucket')}</Badge>}>
        {may && <Button tone="primary" icon="plus" onClick={() => { setName(''); setCreating(true) }}>Create bucket</Button>}
      </Head>
      <Loaded query={query}>
        {(data) =>
          data.buckets.length === 0 ? (
            <Empty icon="objects" title="No buckets yet" action={may && <Button tone="primary" icon="plus" onClick={() => setCreating(true)}>Create bucket</Button>}>A bucket holds files. S3 clients make them too.</Empty>
          ) : (
            <section className="card scroll" tabIndex={0}>
              <table className="table">
                <thead><tr><th>Bucket</th><th className="right">Created</th><th /></tr></thead>
                <tbody>
                  {data.buckets.map((bucket) => (
                    <tr key={bucket.name}>
                      <td><span className="row"><Icon name="objects" /><Link to="/objects/$bucket" params={{ bucket: bucket.name }}>{bucket.name}</Link></span></td>
                      <td className="right muted">{day(bucket.created_millis)}</td>
                      <td className="right">{may && <Menu label={`More for ${bucket.name}`} items={[{ label: 'Remove the bucket', icon: 'trash', bad: true, run: () => setRemoving(bucket.name) }]} />}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </section>
          )
        }
      </Loaded>
      {creating && (
        <Dialog title="Create a bucket" onClose={() => setCreating(false)} submit={{ label: 'Create', disabled: !name, run: async () => { await call('createBucket', { body: { name } }); await client.invalidateQueries({ queryKey: ['buckets'] }) } }}>
          <Field label="Name" hint="3 to 63 lower-case letters, digits, dots and dashes"><input className="input" value={name} autoFocus onChange={(event) => setName(event.target.value)} /></Field>
        </Dialog>
      )}
      {removing && <Confirm title="Remove the bucket" about={`${removing} must be empty.`} label="Remove" onClose={() => setRemoving(null)} run={async () => { await call('deleteBucket', { path: { bucket: removing } }); await client.invalidateQueries({ queryKey: ['buckets'] }) }} />}
    </Page>
  )
}

// ---- One bucket.

interface Entry {
  key: string
  name: string
  folder: boolean
  size: number
  modified: number
}

interface UploadRow {
  id: number
  name: string
  done: number
  size: number
  problem: string | null
}

function useUploads(bucket: string, prefix: string) {
  const client = useQueryClient()
  const [rows, setRows] = useState<UploadRow[]>([])
  const next = useRef(1)
  const change = (id: number, part: Partial<UploadRow>) => setRows((old) => old.map((row) => (row.id === id ? { ...row, ...part } : row)))
  const add = async (files: { file: File; path: string }[]) => {
    for (const { file, path } of files) {
      const id = next.current++
      setRows((old) => [...old, { id, name: path, done: 0, size: file.size, problem: null }])
      try {
        await upload(bucket, prefix + path, file, (done) => change(id, { done }))
        setRows((old) => old.filter((row) => row.id !== id))
      } catch (problem) {
        change(id, { problem: errorText(problem) })
      }
    }
    await client.invalidateQueries({ queryKey: ['objects', bucket] })
  }
  return { rows, add, dismiss: (id: number) => setRows((old) => old.filter((row) => row.id !== id)) }
}

function ObjectDrawer({ bucket, object, onClose, onRemove }: { bucket: string; object: string; onClose: () => void; onRemove: () => void }) {
  const may = useMay('operator')
  const [sharing, setSharing] = useState(false)
  const query = useQuery({ queryKey: ['object', bucket, object], queryFn: () => call('getObject', { path: { bucket }, query: { key: object } }) })
  return (
    <Drawer
      title={object.split('/').pop()}
      onClose={onClose}
      actions={
        <>
          <a className="button small" href={address('downloadObject', { bucket }, { key: object })} download><Icon name="download" />Download</a>
          {may && <Button small icon="link" onClick={() => setSharing(true)}>Share</Button>}
          {may && <Button small tone="bad" icon="trash" aria-label="Remove" onClick={onRemove} />}
        </>
      }
    >
      <Loaded query={query}>
        {(data) => (
          <>
            <dl className="facts">
              <dt>Key</dt><dd className="mono row"><span className="grow">{data.key}</span><Copy text={data.key} label="Copy the key" /></dd>
              <dt>Size</dt><dd>{bytes(data.size)} <span className="muted num">({count(data.size)} bytes)</span></dd>
              <dt>Modified</dt><dd>{time(data.modified_millis)}</dd>
              <dt>Type</dt><dd className="mono">{data.content_type}</dd>
              <dt>ETag</dt><dd className="mono">{data.etag}{data.parts > 0 && <span className="muted"> {plural(data.parts, 'part')}</span>}</dd>
              <Tags bucket={bucket} detail={data} />
              {Object.entries({ ...data.checksums, ...data.metadata }).map(([key, value]) => [<dt key={`k${key}`} className="mono">{key}</dt>, <dd key={`v${key}`} className="mono">{value}</dd>])}
            </dl>
            <Preview bucket={bucket} detail={data} />
          </>
        )}
      </Loaded>
      {sharing && <Share bucket={bucket} object={object} onClose={() => setSharing(false)} />}
    </Drawer>
  )
}

function Share({ bucket, object, onClose }: { bucket: string; object: string; onClose: () => void }) {
  const [seconds, setSeconds] = useState('3600')
  const [url, setUrl] = useState('')
  const [problem, setProblem] = useState<unknown>(null)
  const make = () => call('shareObject', { path: { bucket }, body: { key: object, seconds: Number(seconds) } }).then((link) => setUrl(link.url), setProblem)
  return (
    <Dialog title="Share a link" about="Whoever has it can read the object until it expires, without signing in." onClose={onClose}>
      <div className="row" style={{ alignItems: 'end' }}>
        <Field label="Good for">
          <select className="select" value={seconds} onChange={(event) => setSeconds(event.target.value)}>
            <option value="3600">one hour</option>
            <option value="86400">one day</option>
            <option value="604800">seven days</option>
          </select>
        </Field>
        <Button tone="primary" icon="link" onClick={() => void make()}>Make the link</Button>
      </div>
      <ProblemNote problem={problem} />
      {url && <div className="row"><input className="input mono grow" readOnly value={url} aria-label="Link" onFocus={(event) => event.target.select()} /><Copy text={url} label="Copy the link" /></div>}
    </Dialog>
  )
}

async function droppedFiles(items: DataTransferItemList): Promise<{ file: File; path: string }[]> {
  const out: { file: File; path: string }[] = []
  const walk = async (entry: FileSystemEntry): Promise<void> => {
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
      out.push({ file, path: entry.fullPath.replace(/^\//, '') })
      return
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader()
    for (;;) {
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
      if (some.length === 0) return
      for (const one of some) await walk(one)
    }
  }
  // The list is emptied as soon as the event is over: all entries are taken first.
  const entries = Array.from(items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  for (const entry of entries) await walk(entry)
  return out
}

export function BucketPage() {
  const { bucket } = useParams({ from: '/objects/$bucket' })
  const search = useSearch({ from: '/objects/$bucket' })
  const navigate = useNavigate({ from: '/objects/$bucket' })
  const client = useQueryClient()
  const may = useMay('operator')
  const prefix = search.prefix ?? ''
  const [picked, setPicked] = useState<Set<string>>(new Set())
  const [removing, setRemoving] = useState<string[] | null>(null)
  const [over, setOver] = useState(false)
  const chooser = useRef<HTMLInputElement>(null)
  const uploads = useUploads(bucket, prefix)
  const begins = search.q ?? ''
  const [typed, setTyped] = useState(begins)
  useEffect(() => setTyped(begins), [begins])
  useEffect(() => setPicked(new Set()), [bucket, prefix])
  useEffect(() => {
    const timer = setTimeout(() => {
      if (typed !== begins) void navigate({ search: (old: Record<string, string | undefined>) => ({ ...old, q: typed || undefined }), replace: true })
    }, 250)
    return () => clearTimeout(timer)
  }, [typed, begins, navigate])
  const query = useInfiniteQuery({
    queryKey: ['objects', bucket, prefix, begins],
    initialPageParam: '',
    queryFn: ({ pageParam }) => call('listObjects', { path: { bucket }, query: { prefix: prefix + begins, after: pageParam || undefined } }),
    getNextPageParam: (page) => page.next_after ?? undefined,
  })
  const entries = useMemo(() => {
    const out: Entry[] = []
    for (const page of query.data?.pages ?? []) {
      for (const folder of page.folders) out.push({ key: folder, name: folder.slice(prefix.length), folder: true, size: 0, modified: 0 })
      for (const one of page.objects) if (one.key !== prefix) out.push({ key: one.key, name: one.key.slice(prefix.length), folder: false, size: one.size, modified: one.modified_millis })
    }
    return out
  }, [query.data, prefix])
  const parts: string[] = prefix.split('/').filter(Boolean)
  const go = (change: Record<string, string | undefined>) => void navigate({ search: (old: Record<string, string | undefined>) => ({ ...old, ...change }) })
  const remove = async (keys: string[]) => {
    const { removed } = await call('removeObjects', { path: { bucket }, body: { keys } })
    toast(`${plural(removed, 'object')} removed.`)
    setPicked(new Set())
    go({ key: undefined })
    await client.invalidateQueries({ queryKey: ['objects', bucket] })
  }
  return (
    <Page>
      <Head title={parts[parts.length - 1] ?? bucket} crumbs={[{ label: 'Objects', to: '/objects' }, ...(parts.length ? [{ label: bucket, to: `/objects/${encodeURIComponent(bucket)}` }] : []), ...parts.slice(0, -1).map((part, i) => ({ label: part, to: `/objects/${encodeURIComponent(bucket)}?prefix=${encodeURIComponent(parts.slice(0, i + 1).join('/') + '/')}` }))]}>
        {picked.size > 0 && <Button tone="bad" icon="trash" onClick={() => setRemoving([...picked])}>Remove {picked.size}</Button>}
        <Search label="Names that begin with" value={typed} onChange={setTyped} />
        <Button tone="bare" icon="refresh" aria-label="Look again" title="Look again" onClick={() => void query.refetch()} />
        {may && <Button tone="primary" icon="upload" onClick={() => chooser.current?.click()}>Upload</Button>}
        <input ref={chooser} type="file" multiple hidden aria-label="Files to upload" onChange={(event) => { const files = Array.from(event.target.files ?? [], (file) => ({ file, path: file.name })); event.target.value = ''; void uploads.add(files) }} />
      </Head>
      {uploads.rows.length > 0 && (
        <section className="card"><div className="body stack" role="status">
          {uploads.rows.slice(0, 20).map((row) => (
            <div key={row.id} className="stack" style={{ gap: 4 }}>
              <div className="row"><span className="grow truncate">{row.name}</span><span className="muted num">{bytes(row.done)} of {bytes(row.size)}</span>{row.problem && <Button tone="bare" small icon="close" aria-label="Dismiss" onClick={() => uploads.dismiss(row.id)} />}</div>
              {row.problem ? <ProblemNote problem={new Error(row.problem)} /> : <div className="bar"><i style={{ width: `${row.size ? (row.done / row.size) * 100 : 100}%` }} /></div>}
            </div>
          ))}
        </div></section>
      )}
      <ProblemNote problem={query.error} />
      <section
        className="card"
        style={{ display: 'flex', flexDirection: 'column', flex: 1, minHeight: 300, outline: over ? '2px dashed var(--accent)' : undefined }}
        onDragOver={(event) => { if (may) { event.preventDefault(); setOver(true) } }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => { event.preventDefault(); setOver(false); if (may) void droppedFiles(event.dataTransfer.items).then((files) => uploads.add(files)).catch(toastProblem) }}
      >
        {entries.length === 0 && !query.isFetching ? (
          <Empty icon="folder" title={begins ? 'Nothing begins like that' : prefix ? 'This folder is empty' : 'This bucket is empty'}>{begins ? 'Names are compared with their case, from their first letter.' : may ? 'Drop files or folders here, or choose them with Upload.' : 'Nothing has been put here yet.'}</Empty>
        ) : (
          <VirtualList items={entries} height={36} label="Objects" onEnd={() => { if (query.hasNextPage && !query.isFetching) void query.fetchNextPage() }}>
            {(entry) => (
              <div className="object-row grow">
                {may ? <input type="checkbox" aria-label={`Pick ${entry.name}`} checked={picked.has(entry.key)} onChange={(event) => setPicked((old) => { const next = new Set(old); if (event.target.checked) next.add(entry.key); else next.delete(entry.key); return next })} /> : <span />}
                <Icon name={entry.folder ? 'folder' : 'file'} />
                {entry.folder ? <Link className="truncate" to="/objects/$bucket" params={{ bucket }} search={{ prefix: entry.key }}>{entry.name}</Link> : <Link className="truncate" to="/objects/$bucket" params={{ bucket }} search={{ ...(prefix ? { prefix } : {}), ...(begins ? { q: begins } : {}), key: entry.key }}>{entry.name}</Link>}
                <span className="num muted right">{entry.folder ? '' : bytes(entry.size)}</span>
                <span className="num muted right hide-phone">{entry.folder ? '' : time(entry.modified)}</span>
              </div>
            )}
          </VirtualList>
        )}
      </section>
      {search.key && <ObjectDrawer bucket={bucket} object={search.key} onClose={() => go({ key: undefined })} onRemove={() => setRemoving([search.key!])} />}
      {removing && <Confirm title={removing.length === 1 ? 'Remove this?' : `Remove ${removing.length}?`} about={removing.some((key) => key.endsWith('/')) ? 'Folders go with everything in them.' : removing.slice(0, 3).join(', ')} label="Remove" onClose={() => setRemoving(null)} run={() => remove(removing)} />}
    </Page>
  )
}
