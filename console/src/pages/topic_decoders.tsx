// Schemas that a topic's messages are read with, and one message read by them.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { call } from '../api/client'
import type { Decoder, Message } from '../api/types'
import { DecodeError, decode, decodedBytesMax, decoderFor, decoderName, descriptorsOf, frameOf, rawProtobuf, textOf, valueBytes } from '../lib/decode'
import { parseAvro } from '../lib/avro'
import { messageTypes } from '../lib/protobuf'
import { ago, bytes, hexDump } from '../lib/format'
import { prettyJson } from '../lib/json'
import { useMay } from '../lib/session'
import { Badge, Button, Confirm, Dialog, Empty, Field, Loaded } from '../ui/parts'

const none: Decoder[] = []

const decodersOf = (topic: string) => ({ queryKey: ['decoders', topic], queryFn: () => call('listDecoders', { path: { topic } }), staleTime: 60_000 })

export function useDecoders(topic: string): Decoder[] {
  return useQuery(decodersOf(topic)).data?.decoders ?? none
}

// ---- One value.

const shownMax = 256 * 1024 // characters

export interface Reading {
  text: string
  isCut?: boolean
  note: string // how it was read
  problem: string
}

// '': by a decoder that fits, else as JSON, text or hexadecimal.
export function readValue(message: Message, decoders: Decoder[], as: string): Reading {
  const reading = read(message, decoders, as)
  return reading.text.length > shownMax ? { ...reading, text: reading.text.slice(0, shownMax), isCut: true } : reading
}

function read(message: Message, decoders: Decoder[], as: string): Reading {
  const value = message.value ?? ''
  const plain = (): Reading => {
    if (message.value_encoding !== 'text') return { text: hexDump(value), note: 'hexadecimal', problem: '' }
    return { text: (as === '' && !message.truncated && prettyJson(value)) || value, note: '', problem: '' }
  }
  if (as === 'sent') return plain()
  const raw = valueBytes(message)
  if (as === 'hex') return { text: hexDump(btoa(Array.from(raw.subarray(0, 16_400), (byte) => String.fromCharCode(byte)).join(''))), note: 'hexadecimal', problem: '' }
  const decoder = as === '' ? decoderFor(raw, decoders) : decoders.find((one) => one.id === as)
  if (!decoder && as !== 'raw') {
    const number = as === '' && message.value_encoding === 'base64' ? frameOf(raw) : null
    return number === null ? plain() : { ...plain(), problem: `The frame names schema ${number}; the topic has no decoder for it.` }
  }
  try {
    if (message.truncated) throw new DecodeError(`messages above ${bytes(decodedBytesMax)} are not taken apart`)
    if (!decoder) return { text: rawProtobuf(raw), note: 'Protobuf without a schema: numbers of fields, kinds guessed', problem: '' }
    return { text: textOf(decode(raw, decoder), 2), note: decoderName(decoder), problem: '' }
  } catch (problem) {
    if (!(problem instanceof DecodeError)) throw problem
    const what = decoder ? decoderName(decoder) : 'Protobuf'
    return { ...plain(), problem: `This is not read as ${what}: ${problem.message}.` }
  }
}

export function ReadAs({ decoders, value, onChange }: { decoders: Decoder[]; value: string; onChange: (as: string) => void }) {
  return (
    <select className="select" aria-label="Read the value as" value={value} onChange={(event) => onChange(event.target.value)}>
      <option value="">What it is</option>
      <option value="sent">As sent</option>
      <option value="hex">Hexadecimal</option>
      {decoders.map((one) => <option key={one.id} value={one.id}>{decoderName(one)}</option>)}
      <option value="raw">Protobuf without a schema</option>
    </select>
  )
}

// ---- The tab.

export function Decoders({ topic }: { topic: string }) {
  const may = useMay('operator')
  const client = useQueryClient()
  const query = useQuery(decodersOf(topic))
  const [adding, setAdding] = useState(false)
  const [removing, setRemoving] = useState<Decoder | null>(null)
  const changed = () => client.invalidateQueries({ queryKey: ['decoders', topic] })
  const add = may && <Button icon="plus" onClick={() => setAdding(true)}>Add a decoder</Button>
  return (
    <Loaded query={query}>
      {({ decoders }) => (
        <>
          {decoders.length === 0 ? (
            <Empty icon="events" title="No decoders yet" action={add}>An Avro schema or the descriptors of Protobuf messages: with them the topic's messages are read here.</Empty>
          ) : (
            <>
              <div className="row"><span className="grow muted">The number in a message's frame picks the decoder; messages without a frame are read by the first without a number.</span>{add}</div>
              <section className="card scroll" tabIndex={0}>
                <table className="table">
                  <thead><tr><th>Format</th><th>Schema number</th><th>Message type</th><th className="right">Size</th><th>Added</th><th /></tr></thead>
                  <tbody>
                    {decoders.map((one) => (
                      <tr key={one.id}>
                        <td>{one.format === 'avro' ? 'Avro' : 'Protobuf'}</td>
                        <td>{one.schema_id ?? <i className="muted">no frame</i>}</td>
                        <td className="mono">{one.message_type || <i className="muted">{one.format === 'avro' ? 'the schema’s' : 'by the frame'}</i>}</td>
                        <td className="right">{bytes(one.definition.length)}</td>
                        <td className="muted">{ago(one.changed_millis)} by {one.changed_by}</td>
                        <td className="right">{may && <Button tone="bare" small icon="trash" aria-label={`Remove ${decoderName(one)}`} title="Remove" onClick={() => setRemoving(one)} />}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </section>
            </>
          )}
          {adding && <AddDecoder topic={topic} onClose={() => setAdding(false)} onAdded={changed} />}
          {removing && <Confirm title="Remove the decoder?" about={`${decoderName(removing)} goes for everybody; the messages stay.`} label="Remove" onClose={() => setRemoving(null)} run={async () => { await call('removeDecoder', { path: { topic, id: removing.id } }); await changed() }} />}
        </>
      )}
    </Loaded>
  )
}

// What is wrong with a definition, before it is sent; for Protobuf its types.
function look(format: string, definition: string): { problem: string; types: string[] } {
  if (!definition) return { problem: '', types: [] }
  try {
    if (format === 'avro') parseAvro(definition)
    return { problem: '', types: format === 'avro' ? [] : messageTypes(descriptorsOf(definition)) }
  } catch (problem) {
    return { problem: (problem as Error).message, types: [] }
  }
}

function AddDecoder({ topic, onClose, onAdded }: { topic: string; onClose: () => void; onAdded: () => Promise<void> }) {
  const [format, setFormat] = useState('avro')
  const [number, setNumber] = useState('')
  const [type, setType] = useState('')
  const [definition, setDefinition] = useState('')
  const seen = useMemo(() => look(format, definition), [format, definition])
  const load = async (file: File | undefined) => {
    if (!file) return setDefinition('')
    if (format === 'avro') return setDefinition(await file.text())
    const raw = new Uint8Array(await file.arrayBuffer())
    setDefinition(btoa(Array.from(raw, (byte) => String.fromCharCode(byte)).join('')))
  }
  const run = async () => {
    if (seen.problem) throw new Error(seen.problem)
    await call('addDecoder', { path: { topic }, body: { format, definition, schema_id: number === '' ? null : Number(number), message_type: format === 'avro' ? null : type || null } })
    await onAdded()
  }
  return (
    <Dialog title="Add a decoder" about={`For the messages of ${topic}; everybody reads them with it.`} onClose={onClose} submit={{ label: 'Add', disabled: !definition || Boolean(seen.problem), run }}>
      <div className="row" style={{ alignItems: 'start' }}>
        <Field label="Format">
          <select className="select" value={format} onChange={(event) => { setFormat(event.target.value); setDefinition('') }}>
            <option value="avro">Avro</option>
            <option value="protobuf">Protobuf</option>
          </select>
        </Field>
        <Field label="Schema number" hint="in the frame of Confluent's serializers; empty: messages have no frame">
          <input className="input" type="number" min={0} max={2147483647} value={number} onChange={(event) => setNumber(event.target.value)} />
        </Field>
      </div>
      {format === 'avro' && (
        <Field label="Schema">
          <textarea className="area mono" rows={10} spellCheck={false} value={definition} placeholder={'{"type": "record", "name": "Order", "fields": […]}'} onChange={(event) => setDefinition(event.target.value)} />
        </Field>
      )}
      <Field label={format === 'avro' ? 'Or a file' : 'Descriptors'} hint={format === 'avro' ? 'an .avsc file' : 'made by protoc --include_imports --descriptor_set_out=FILE'}>
        <input key={format} className="input" type="file" onChange={(event) => void load(event.target.files?.[0])} />
      </Field>
      {format === 'protobuf' && (
        <Field label="Message type" hint={number === '' ? '' : 'empty: the frame says it'}>
          <select className="select" value={type} onChange={(event) => setType(event.target.value)}>
            <option value="">{number === '' ? 'choose one' : 'by the frame'}</option>
            {seen.types.map((one) => <option key={one} value={one}>{one}</option>)}
          </select>
        </Field>
      )}
      {seen.problem && <p role="alert"><Badge tone="bad">not usable</Badge> {seen.problem}</p>}
    </Dialog>
  )
}
