// Protocol Buffers: messages by a FileDescriptorSet (protoc --include_imports --descriptor_set_out), and without one.
import { shortest } from './avro'
import { Budget, DecodeError, Fields, Reader, hex, type Value } from './decoded'

const enum Wire { varint = 0, fixed64 = 1, bytes = 2, begin = 3, end = 4, fixed32 = 5 }

interface Raw {
  number: number
  wire: Wire
  value: bigint | Uint8Array | Raw[]
}

// The fields of a message, or of a group up to its end.
function fields(reader: Reader, budget: Budget, group = 0): Raw[] {
  return budget.within(() => {
    const out: Raw[] = []
    while (reader.left > 0) {
      budget.spend()
      const tag = reader.varint()
      const number = Number(tag >> 3n)
      const wire = Number(tag & 7n) as Wire
      if (number < 1 || number > 536_870_911) throw new DecodeError(`${number} is no number of a field (before byte ${reader.at})`)
      if (wire === Wire.end) {
        if (number !== group) throw new DecodeError(`a group ends that did not begin (before byte ${reader.at})`)
        return out
      }
      out.push({ number, wire, value: payload(reader, budget, wire, number) })
    }
    if (group) throw new DecodeError(`the group ${group} does not end`)
    return out
  })
}

function payload(reader: Reader, budget: Budget, wire: Wire, number: number): Raw['value'] {
  if (wire === Wire.varint) return reader.varint()
  if (wire === Wire.fixed64) return reader.take(8)
  if (wire === Wire.fixed32) return reader.take(4)
  if (wire === Wire.bytes) return reader.take(Number(reader.varint()))
  if (wire === Wire.begin) return fields(reader, budget, number)
  throw new DecodeError(`${wire} is no kind of a value (before byte ${reader.at})`)
}

// ---- Without a schema.

function little(bytes: Uint8Array): string {
  return hex(Uint8Array.from(bytes).reverse())
}

function guessed(bytes: Uint8Array, budget: Budget): Raw[] | string {
  if (bytes.length > 0) {
    try {
      return fields(new Reader(bytes), budget)
    } catch {
      // no message: text, or bytes
    }
  }
  try {
    const text = new Reader(bytes).text(bytes.length)
    if (!/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text)) return JSON.stringify(text)
  } catch {
    // bytes
  }
  return hex(bytes)
}

// Numbers of fields and what their bytes may be: text that is also a message is shown as a message.
export function rawProtobuf(bytes: Uint8Array): string {
  const budget = new Budget()
  const lines: string[] = []
  const show = (list: Raw[], indent: string): void =>
    budget.within(() => {
      for (const { number, wire, value } of list) {
        const inner = wire === Wire.bytes ? guessed(value as Uint8Array, budget) : wire === Wire.begin ? (value as Raw[]) : null
        if (Array.isArray(inner)) {
          lines.push(`${indent}${number} {`)
          show(inner, indent + '  ')
          lines.push(`${indent}}`)
        } else {
          lines.push(`${indent}${number}: ${inner ?? (typeof value === 'bigint' ? value : little(value as Uint8Array))}`)
        }
      }
    })
  show(fields(new Reader(bytes), budget), '')
  return lines.join('\n')
}

// ---- Descriptors (descriptor.proto).

interface Field {
  name: string
  number: number
  repeated: boolean
  type: number // FieldDescriptorProto.Type
  typeName: string
}
interface Message {
  name: string
  file: number
  fields: Map<number, Field>
  isMapEntry: boolean
  nested: Message[]
}
export interface Descriptors {
  messages: Map<string, Message>
  enums: Map<string, Map<number, string>>
  files: Message[][] // the messages that stand first in each
}

class Part {
  private readonly raw: Raw[]
  constructor(bytes: Uint8Array, private readonly budget: Budget) {
    this.raw = fields(new Reader(bytes), budget)
  }
  private all(number: number) {
    return this.raw.filter((one) => one.number === number)
  }
  texts(number: number): string[] {
    return this.all(number).map(({ value }) => {
      if (!(value instanceof Uint8Array)) throw new DecodeError('a name in the descriptors is no text')
      return new Reader(value).text(value.length)
    })
  }
  text(number: number): string {
    return this.texts(number).at(-1) ?? ''
  }
  whole(number: number): number {
    const value = this.all(number).at(-1)?.value ?? 0n
    if (typeof value !== 'bigint') throw new DecodeError('a number in the descriptors is none')
    return Number(BigInt.asIntN(64, value))
  }
  records(number: number): Part[] {
    return this.all(number).map(({ value }) => {
      if (!(value instanceof Uint8Array)) throw new DecodeError('a part of the descriptors is none')
      return new Part(value, this.budget)
    })
  }
}

export function parseDescriptors(bytes: Uint8Array): Descriptors {
  const out: Descriptors = { messages: new Map(), enums: new Map(), files: [] }
  let files: Part[]
  try {
    files = new Part(bytes, new Budget()).records(1)
  } catch (problem) {
    throw new DecodeError(`this is no FileDescriptorSet: ${(problem as Error).message}`)
  }
  if (files.length === 0) throw new DecodeError('this FileDescriptorSet has no files')
  files.forEach((file, i) => {
    const space = file.text(2)
    addEnums(out, file.records(5), space)
    out.files.push(file.records(4).map((one) => addMessage(out, one, space, i, 0)))
  })
  if (out.messages.size === 0) throw new DecodeError('this FileDescriptorSet has no messages')
  return out
}

const joined = (space: string, name: string) => (space ? `${space}.${name}` : name)

function addEnums(out: Descriptors, list: Part[], space: string) {
  for (const one of list) out.enums.set(joined(space, one.text(1)), new Map(one.records(2).map((row) => [row.whole(2), row.text(1)]).reverse() as [number, string][]))
}

function addMessage(out: Descriptors, record: Part, space: string, file: number, depth: number): Message {
  if (depth > 32) throw new DecodeError('messages are nested too deeply')
  if (!record.text(1)) throw new DecodeError('a message of the descriptors has no name')
  const name = joined(space, record.text(1))
  const message: Message = { name, file, fields: new Map(), isMapEntry: record.records(7).some((options) => options.whole(7) === 1), nested: [] }
  for (const row of record.records(2)) {
    const field = { name: row.text(1), number: row.whole(3), repeated: row.whole(4) === 3, type: row.whole(5), typeName: row.text(6).replace(/^\./, '') }
    message.fields.set(field.number, field)
  }
  out.messages.set(name, message)
  addEnums(out, record.records(4), name)
  message.nested = record.records(3).map((one) => addMessage(out, one, name, file, depth + 1))
  return message
}

export function messageTypes(descriptors: Descriptors): string[] {
  return [...descriptors.messages.values()].filter((one) => !one.isMapEntry).map((one) => one.name)
}

// The place of the type among those of its file, as Confluent's frame has it before the message: a list of indexes,
// or one 0 byte for the first. `near` is a type of that file; without one it is the last file of the set.
export function framedType(descriptors: Descriptors, near: string, reader: Reader): string {
  const count = Number(reader.zigzag())
  if (count < 0 || count > 32) throw new DecodeError('the frame does not say a message type')
  const path = count === 0 ? [0] : Array.from({ length: count }, () => Number(reader.zigzag()))
  const file = near ? descriptors.messages.get(near)?.file : descriptors.files.length - 1
  if (file === undefined) throw new DecodeError(`the descriptors have no message ${near}`)
  let list = descriptors.files[file]!
  let found: Message | undefined
  for (const at of path) {
    found = list[at]
    if (!found) throw new DecodeError(`the frame names message ${path.join('.')}, which the descriptors do not have`)
    list = found.nested
  }
  return found!.name
}

// ---- By a schema.

export function readProtobuf(descriptors: Descriptors, type: string, bytes: Uint8Array): Value {
  const message = descriptors.messages.get(type)
  if (!message) throw new DecodeError(`the descriptors have no message ${type}`)
  const budget = new Budget()
  return shape(descriptors, message, fields(new Reader(bytes), budget), budget)
}

function shape(descriptors: Descriptors, message: Message, raw: Raw[], budget: Budget): Fields {
  return budget.within(() => {
    const given = new Map<number, Raw[]>()
    for (const one of raw) {
      const list = given.get(one.number)
      if (list) list.push(one)
      else given.set(one.number, [one])
    }
    const out = new Fields()
    for (const field of message.fields.values()) {
      const list = given.get(field.number)
      if (!list) continue
      given.delete(field.number)
      out.entries.push([field.name, fieldValue(descriptors, field, list, budget)])
    }
    for (const [number, list] of given) {
      for (const { wire, value } of list) out.entries.push([`(unknown field ${number})`, wire === Wire.begin ? 'a group' : typeof value === 'bigint' ? value : hex(value as Uint8Array)])
    }
    return out
  })
}

const messageType = 11
const groupType = 10

function fieldValue(descriptors: Descriptors, field: Field, list: Raw[], budget: Budget): Value {
  if (field.type === messageType || field.type === groupType) {
    const message = descriptors.messages.get(field.typeName)
    if (!message) throw new DecodeError(`the descriptors have no message ${field.typeName}, which ${field.name} is: make them with --include_imports`)
    const inner = list.map((one) => (one.wire === Wire.begin ? (one.value as Raw[]) : fields(new Reader(lengthed(field, one)), budget)))
    if (message.isMapEntry && field.repeated) return new Fields(inner.map((entry) => mapEntry(descriptors, message, entry, budget)))
    if (field.repeated) return inner.map((one) => shape(descriptors, message, one, budget))
    return shape(descriptors, message, inner.flat(), budget) // given twice they are merged
  }
  if (!field.repeated) return scalar(descriptors, field, list.at(-1)!)
  const out: Value[] = []
  const wire = wireOf(field.type)
  for (const one of list) {
    if (one.wire !== Wire.bytes || wire === Wire.bytes) {
      out.push(scalar(descriptors, field, one))
      continue
    }
    for (const reader = new Reader(one.value as Uint8Array); reader.left > 0; ) {
      budget.spend()
      out.push(scalar(descriptors, field, { number: field.number, wire, value: payload(reader, budget, wire, field.number) }))
    }
  }
  return out
}

function mapEntry(descriptors: Descriptors, entry: Message, raw: Raw[], budget: Budget): [string, Value] {
  const [key, value] = [1, 2].map((number) => {
    const field = entry.fields.get(number)
    if (!field) throw new DecodeError(`${entry.name} is no entry of a map`)
    const list = raw.filter((one) => one.number === number)
    return list.length > 0 ? fieldValue(descriptors, field, list, budget) : absent(descriptors, field)
  }) as [Value, Value]
  return [String(key), value]
}

// What an entry of a map leaves out.
function absent(descriptors: Descriptors, field: Field): Value {
  if (field.type === messageType) return new Fields()
  if (field.type === 9) return ''
  if (field.type === 12) return '0x'
  if (field.type === 8) return false
  if (field.type === 14) return descriptors.enums.get(field.typeName)?.get(0) ?? 0
  return 0
}

function wireOf(type: number): Wire {
  if (type === 1 || type === 6 || type === 16) return Wire.fixed64
  if (type === 2 || type === 7 || type === 15) return Wire.fixed32
  return type === 9 || type === 12 ? Wire.bytes : Wire.varint
}

function lengthed(field: Field, raw: Raw): Uint8Array {
  if (raw.wire === Wire.bytes) return raw.value as Uint8Array
  throw mismatch(field)
}

const mismatch = (field: Field) => new DecodeError(`field ${field.number}, ${field.name}, is not of the type that the descriptors say`)

function scalar(descriptors: Descriptors, field: Field, raw: Raw): Value {
  if (raw.wire !== wireOf(field.type)) throw mismatch(field)
  const whole = raw.value as bigint
  const view = () => new Reader(raw.value as Uint8Array)
  switch (field.type) {
    case 1: return view().double()
    case 2: return shortest(view().float())
    case 3: return BigInt.asIntN(64, whole)
    case 4: return whole
    case 5: return Number(BigInt.asIntN(32, whole))
    case 6: return view().view.getBigUint64(0, true)
    case 7: return view().view.getUint32(0, true)
    case 8: return whole !== 0n
    case 9: return view().text((raw.value as Uint8Array).length)
    case 12: return hex(raw.value as Uint8Array)
    case 13: return Number(BigInt.asUintN(32, whole))
    case 14: {
      const number = Number(BigInt.asIntN(32, whole))
      return descriptors.enums.get(field.typeName)?.get(number) ?? number
    }
    case 15: return view().view.getInt32(0, true)
    case 16: return view().view.getBigInt64(0, true)
    case 17: { const n = BigInt.asUintN(32, whole); return Number(n & 1n ? -(n >> 1n) - 1n : n >> 1n) }
    case 18: return whole & 1n ? -(whole >> 1n) - 1n : whole >> 1n
    default: throw new DecodeError(`field ${field.number}, ${field.name}, has a type that is not known: ${field.type}`)
  }
}
