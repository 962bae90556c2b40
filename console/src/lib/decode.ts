// A message by the decoders its topic has. The frame of Confluent's serializers: a 0, the schema's number in four
// bytes, for Protobuf the place of the type in its file, then the message.
import type { Decoder, Message } from '../api/types'
import { parseAvro, readAvro, type AvroSchema } from './avro'
import { DecodeError, Reader, textOf, type Value } from './decoded'
import { framedType, parseDescriptors, rawProtobuf, readProtobuf, type Descriptors } from './protobuf'

export const decodedBytesMax = 1 << 20 // larger messages are not taken apart

export const fromBase64 = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0))

export function valueBytes(message: Pick<Message, 'value' | 'value_encoding'>): Uint8Array {
  const text = message.value ?? ''
  return message.value_encoding === 'base64' ? fromBase64(text) : new TextEncoder().encode(text)
}

// The schema's number, when the bytes begin like a frame.
export function frameOf(bytes: Uint8Array): number | null {
  if (bytes.length < 5 || bytes[0] !== 0) return null
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(1)
}

// That of the frame's number, else the first for messages without a frame.
export function decoderFor(bytes: Uint8Array, decoders: Decoder[]): Decoder | null {
  const number = frameOf(bytes)
  const framed = number === null ? undefined : decoders.find((one) => one.schema_id === number)
  return framed ?? decoders.find((one) => isUnframed(one)) ?? null
}

const isUnframed = (decoder: Decoder) => decoder.schema_id === null || decoder.schema_id === undefined

export function decoderName(decoder: Decoder): string {
  const format = decoder.format === 'avro' ? 'Avro' : 'Protobuf'
  return [format, decoder.message_type, isUnframed(decoder) ? '' : `schema ${decoder.schema_id}`].filter(Boolean).join(' ')
}

// By id: what a decoder holds never changes.
const parsed = new Map<string, AvroSchema | Descriptors | DecodeError>()

function definitionOf<T>(decoder: Pick<Decoder, 'id' | 'definition'>, parse: (definition: string) => T & (AvroSchema | Descriptors)): T {
  let found = parsed.get(decoder.id)
  if (!found) {
    try {
      found = parse(decoder.definition)
    } catch (problem) {
      found = problem instanceof DecodeError ? problem : new DecodeError((problem as Error).message)
    }
    parsed.set(decoder.id, found)
  }
  if (found instanceof DecodeError) throw found
  return found as T
}

export const descriptorsOf = (definition: string): Descriptors => parseDescriptors(fromBase64(definition))

export function decode(bytes: Uint8Array, decoder: Decoder): Value {
  if (bytes.length > decodedBytesMax) throw new DecodeError('the message is larger than 1 MiB')
  let payload = bytes
  if (!isUnframed(decoder)) {
    const number = frameOf(bytes)
    if (number === null) throw new DecodeError('the message has no frame: it does not begin with a 0 and the number of a schema')
    if (number !== decoder.schema_id) throw new DecodeError(`the message is of schema ${number}`)
    payload = bytes.subarray(5)
  }
  if (decoder.format === 'avro') return readAvro(definitionOf(decoder, parseAvro), payload)
  const descriptors = definitionOf(decoder, descriptorsOf)
  if (isUnframed(decoder)) return readProtobuf(descriptors, decoder.message_type, payload)
  const reader = new Reader(payload)
  const type = framedType(descriptors, decoder.message_type, reader)
  return readProtobuf(descriptors, type, payload.subarray(reader.at))
}

const lines = new WeakMap<Message, { decoders: Decoder[]; text: string | null }>()

// The value in one line, for the list; null: no decoder of the topic reads it.
export function decodedLine(message: Message, decoders: Decoder[]): string | null {
  if (decoders.length === 0 || message.truncated || message.value === null || message.value === undefined) return null
  const known = lines.get(message)
  if (known?.decoders === decoders) return known.text
  let text: string | null = null
  try {
    const bytes = valueBytes(message)
    const decoder = decoderFor(bytes, decoders)
    if (decoder) text = textOf(decode(bytes, decoder), null).slice(0, 400)
  } catch {
    // shown as it is; the message itself says why
  }
  lines.set(message, { decoders, text })
  return text
}

export { rawProtobuf, textOf, DecodeError }
