// What an object holds, as far as a glance needs: pictures, Parquet, CSV, JSON, text.
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { address, call, send } from '../api/client'
import type { ObjectDetail } from '../api/types'
import { bytes, count, plural } from '../lib/format'
import { csvRows } from '../lib/csv'
import { prettyJson } from '../lib/json'
import { Loaded } from '../ui/parts'

const textMax = 256 * 1024
const imageMax = 16 * 1024 * 1024
const rowsMax = 50

const images: Record<string, string> = { png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp', avif: 'image/avif', bmp: 'image/bmp' }
const texts = ['txt', 'md', 'json', 'jsonl', 'ndjson', 'yaml', 'yml', 'xml', 'html', 'log', 'sql', 'py', 'js', 'ts', 'css', 'toml', 'ini', 'sh', 'svg']

type Kind = 'image' | 'parquet' | 'csv' | 'text' | 'other'
export function kindOf(key: string, type: string): Kind {
  const end = key.toLowerCase().split('.').pop() ?? ''
  if (end in images || Object.values(images).includes(type)) return 'image'
  if (end === 'parquet' || type === 'application/vnd.apache.parquet') return 'parquet'
  if (end === 'csv' || end === 'tsv' || type === 'text/csv') return 'csv'
  if (texts.includes(end) || type.startsWith('text/') || type === 'application/json') return 'text'
  return 'other'
}

interface Props {
  bucket: string
  detail: ObjectDetail
}

export function Preview({ bucket, detail }: Props) {
  const kind = kindOf(detail.key, detail.content_type)
  if (detail.size === 0) return null
  if (kind === 'image') return detail.size > imageMax ? null : <Picture bucket={bucket} detail={detail} />
  if (kind === 'parquet') return <Parquet bucket={bucket} detail={detail} />
  if (kind === 'csv' || kind === 'text') return <Text bucket={bucket} detail={detail} kind={kind} />
  return null
}

// As a blob with a picture's type: whatever type it was uploaded with, it cannot run.
function Picture({ bucket, detail }: Props) {
  const type = images[detail.key.toLowerCase().split('.').pop() ?? ''] ?? detail.content_type
  const query = useQuery({
    queryKey: ['picture', bucket, detail.key, detail.etag],
    queryFn: async () => (await send('GET', address('downloadObject', { bucket }, { key: detail.key }))).blob(),
  })
  const [url, setUrl] = useState('')
  const blob = query.data
  useEffect(() => {
    if (!blob) return
    const made = URL.createObjectURL(blob.slice(0, blob.size, type))
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [blob, type])
  return <Loaded query={query}>{() => <div className="preview">{url && <img src={url} alt={detail.key} />}</div>}</Loaded>
}

function Text({ bucket, detail, kind }: Props & { kind: Kind }) {
  const query = useQuery({
    queryKey: ['preview', bucket, detail.key, detail.etag],
    queryFn: async () => (await send('GET', address('downloadObject', { bucket }, { key: detail.key, bytes: textMax }))).text(),
  })
  const cut = detail.size > textMax
  return (
    <Loaded query={query}>
      {(text) => {
        const rows = kind === 'csv' ? csvRows(text, cut, rowsMax + 1) : []
        return (
          <>
            {cut && <p className="muted">The first {bytes(textMax)} of it.</p>}
            {rows.length > 0 ? <Rows head={rows[0]!} rows={rows.slice(1)} /> : <pre className="code" tabIndex={0} aria-label="Preview">{(!cut && detail.key.endsWith('.json') && prettyJson(text)) || text}</pre>}
          </>
        )
      }}
    </Loaded>
  )
}

function Parquet({ bucket, detail }: Props) {
  const query = useQuery({ queryKey: ['parquet', bucket, detail.key, detail.etag], queryFn: () => call('previewObject', { path: { bucket }, query: { key: detail.key } }) })
  return (
    <Loaded query={query}>
      {(data) => (
        <>
          <p className="muted">
            Parquet · {plural(data.rows, 'row')} in {plural(data.row_groups, 'row group')} · {plural(data.columns.length, 'column')}
            {data.no_rows ? ` · no rows shown: ${data.no_rows}` : data.rows > rowsMax ? ` · the first ${count(rowsMax)} rows` : ''}
          </p>
          <Rows head={data.columns.map((column) => column.name)} types={data.columns.map((column) => column.type)} rows={data.first_rows as (string | null)[][]} />
        </>
      )}
    </Loaded>
  )
}

function Rows({ head, types, rows }: { head: string[]; types?: string[]; rows: (string | null)[][] }) {
  return (
    <section className="card scroll preview-rows" tabIndex={0} aria-label="Preview">
      <table className="table mono">
        <thead><tr>{head.map((name, i) => <th key={i}>{name}{types && <small>{types[i]}</small>}</th>)}</tr></thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={i}>{head.map((_, at) => (row[at] === null ? <td key={at} className="muted"><i>null</i></td> : <td key={at}>{row[at]}</td>))}</tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
