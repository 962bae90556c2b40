// A message to a topic: a new one, or one of its own once more, with what is not text left as it was.
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../api/client'
import type { Message, MessageHeader } from '../api/types'
import { bytes, count } from '../lib/format'
import { Badge, Button, Dialog, Field, toast } from '../ui/parts'

type Encoding = 'text' | 'base64' | 'none'
interface Cell {
  text: string
  encoding: Encoding
}
type HeaderRow = Cell & { key: string }

const cellOf = (value: string | null | undefined, encoding: string): Cell =>
  value === null || value === undefined ? { text: '', encoding: 'none' } : { text: value, encoding: encoding === 'base64' ? 'base64' : 'text' }

const sendable = (cell: Cell) => (cell.encoding === 'none' ? null : cell.text)

function EncodingChoice({ label, cell, none, onChange }: { label: string; cell: Cell; none: string; onChange: (cell: Cell) => void }) {
  return (
    <select className="select" aria-label={label} value={cell.encoding} onChange={(event) => onChange({ ...cell, encoding: event.target.value as Encoding })}>
      <option value="text">text</option>
      <option value="base64">base64</option>
      <option value="none">{none}</option>
    </select>
  )
}

function Headers({ rows, onChange }: { rows: HeaderRow[]; onChange: (rows: HeaderRow[]) => void }) {
  const set = (at: number, part: Partial<HeaderRow>) => onChange(rows.map((row, i) => (i === at ? { ...row, ...part } : row)))
  return (
    <fieldset className="stack plain" style={{ gap: 6 }}>
      <legend>Headers</legend>
      {rows.map((row, i) => (
        <div key={i} className="row">
          <input className="input mono" style={{ width: 160 }} aria-label={`Name of header ${i + 1}`} value={row.key} placeholder="name" onChange={(event) => set(i, { key: event.target.value })} />
          <input className="input mono grow" aria-label={`Value of header ${i + 1}`} value={row.encoding === 'none' ? '' : row.text} disabled={row.encoding === 'none'} onChange={(event) => set(i, { text: event.target.value })} />
          <EncodingChoice label={`Kind of header ${i + 1}`} cell={row} none="null" onChange={(cell) => set(i, cell)} />
          <Button tone="bare" small icon="close" aria-label={`Leave out header ${i + 1}`} onClick={() => onChange(rows.filter((_, other) => other !== i))} />
        </div>
      ))}
      <div><Button small icon="plus" onClick={() => onChange([...rows, { key: '', text: '', encoding: 'text' }])}>Add header</Button></div>
    </fieldset>
  )
}

export function Produce({ topic, like, onClose }: { topic: string; like?: Message; onClose: () => void }) {
  const client = useQueryClient()
  // A value that was not fetched whole is not edited: all of it is fetched when it is sent.
  const isWhole = !like?.truncated
  const [key, setKey] = useState<Cell>(like ? cellOf(like.key, like.key_encoding) : { text: '', encoding: 'none' })
  const [value, setValue] = useState<Cell>(like ? cellOf(like.value, like.value_encoding) : { text: '', encoding: 'text' })
  const [headers, setHeaders] = useState<HeaderRow[]>((like?.headers ?? []).map((one) => ({ key: one.key, ...cellOf(one.value, one.encoding) })))
  const [partition, setPartition] = useState('')
  const send = async () => {
    let body = value
    if (!isWhole) {
      const whole = await call('getMessage', { path: { topic, partition: String(like.partition), offset: String(like.offset) } })
      if (whole.truncated) throw new Error(`The message has ${bytes(whole.value_bytes)}: too many to be sent from here.`)
      body = cellOf(whole.value, whole.value_encoding)
    }
    const list: MessageHeader[] = headers.map((row) => {
      if (!row.key) throw new Error('A header needs a name.')
      return { key: row.key, value: sendable(row), encoding: row.encoding === 'base64' ? 'base64' : 'text' }
    })
    const sent = await call('produceMessage', {
      path: { topic },
      body: { key: sendable(key), key_encoding: key.encoding === 'base64' ? 'base64' : 'text', value: sendable(body), value_encoding: body.encoding === 'base64' ? 'base64' : 'text', headers: list, partition: partition === '' ? null : Number(partition) },
    })
    toast(`Sent to partition ${sent.partition}, offset ${count(sent.offset)}.`)
    await client.invalidateQueries({ queryKey: ['messages', topic] })
  }
  return (
    <Dialog wide title={like ? 'Send again' : 'Send a message'} about={`To ${topic}`} onClose={onClose} submit={{ label: 'Send', run: send }}>
      <div className="row" style={{ alignItems: 'end' }}>
        <div className="grow">
          <Field label="Key">
            <input className="input mono" value={key.encoding === 'none' ? '' : key.text} placeholder={key.encoding === 'none' ? 'none' : ''} onChange={(event) => setKey({ text: event.target.value, encoding: event.target.value === '' ? 'none' : key.encoding === 'none' ? 'text' : key.encoding })} />
          </Field>
        </div>
        <EncodingChoice label="Kind of key" cell={key} none="none" onChange={setKey} />
        <Field label="Partition">
          <input className="input" style={{ width: 110 }} type="number" min={0} placeholder="by key" value={partition} onChange={(event) => setPartition(event.target.value)} />
        </Field>
      </div>
      {isWhole ? (
        <>
          <Field label="Value">
            <textarea className="area" rows={10} value={value.encoding === 'none' ? '' : value.text} disabled={value.encoding === 'none'} autoFocus spellCheck={false} onChange={(event) => setValue({ ...value, text: event.target.value })} />
          </Field>
          <div className="row"><EncodingChoice label="Kind of value" cell={value} none="none: removes the key" onChange={setValue} /></div>
        </>
      ) : (
        <p className="row">Value <Badge>{bytes(like.value_bytes)}</Badge> <span className="muted">sent as it is</span></p>
      )}
      <Headers rows={headers} onChange={setHeaders} />
    </Dialog>
  )
}
