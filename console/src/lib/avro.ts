// Avro (specification 1.12): schemas as they are written in JSON, and data in the binary encoding.
import { Budget, DecodeError, Fields, Reader, depthMax, hex, type Value } from './decoded'

type Read = (reader: Reader, budget: Budget) => Value
interface Type {
  name: string // as a union's branch is called
  read: Read
}
export type AvroSchema = Type

const primitives: Record<string, Read> = {
  null: () => null,
  boolean: (reader) => {
    const byte = reader.take(1)[0]!
    if (byte > 1) throw new DecodeError(`a boolean is 0 or 1, and byte ${reader.at - 1} is ${byte}`)
    return byte === 1
  },
  int: (reader) => {
    const value = reader.zigzag()
    if (value !== BigInt.asIntN(32, value)) throw new DecodeError(`an int has 32 bits, and the one before byte ${reader.at} has more`)
    return Number(value)
  },
  long: (reader) => reader.zigzag(),
  float: (reader) => shortest(reader.float()),
  double: (reader) => reader.double(),
  bytes: (reader) => hex(reader.take(size(reader))),
  string: (reader) => reader.text(size(reader)),
}

const size = (reader: Reader) => Number(reader.zigzag())

// The shortest digits that are the same float.
export function shortest(value: number): number {
  for (let digits = 6; digits < 10; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return short
  }
  return value
}

export function parseAvro(text: string): AvroSchema {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (problem) {
    throw new DecodeError(`an Avro schema is JSON, and this is not: ${(problem as Error).message}`)
  }
  return new Schemas().type(json, '', 0)
}

export function readAvro(schema: AvroSchema, bytes: Uint8Array): Value {
  const reader = new Reader(bytes)
  const value = schema.read(reader, new Budget())
  if (reader.left > 0) throw new DecodeError(`${reader.left} bytes are left after the value: it was written with another schema`)
  return value
}

const isObject = (json: unknown): json is Record<string, unknown> => typeof json === 'object' && json !== null && !Array.isArray(json)

class Schemas {
  private readonly named = new Map<string, Type>()

  type(json: unknown, space: string, depth: number): Type {
    if (depth > depthMax) throw new DecodeError(`the schema is more than ${depthMax} levels deep`)
    if (typeof json === 'string') return this.reference(json, space)
    if (Array.isArray(json)) return union(json.map((one) => this.type(one, space, depth + 1)))
    if (!isObject(json)) throw new DecodeError(`${JSON.stringify(json)} is no Avro type`)
    const kind = json.type
    if (typeof kind !== 'string') return this.type(kind, space, depth + 1) // {"type": {...}}
    if (kind === 'array' || kind === 'map') {
      const item = this.type(kind === 'array' ? json.items : json.values, space, depth + 1)
      return { name: kind, read: kind === 'array' ? (reader, budget) => items(reader, budget, () => item.read(reader, budget)) : readMap(item) }
    }
    if (kind === 'record' || kind === 'error') return this.record(json, space, depth)
    if (kind === 'enum') return this.enumeration(json, space)
    if (kind === 'fixed') return this.fixed(json, space)
    const plain = this.reference(kind, space)
    return { name: plain.name, read: logical(json, kind, plain.read) }
  }

  private reference(name: string, space: string): Type {
    if (Object.hasOwn(primitives, name)) return { name, read: primitives[name]! }
    const found = this.named.get(name.includes('.') || !space ? name : `${space}.${name}`) ?? this.named.get(name)
    if (!found) throw new DecodeError(`the schema does not say what ${name} is: types of other schemas have to be written out in this one`)
    return found
  }

  private define(json: Record<string, unknown>, space: string): { type: Type; space: string } {
    const given = json.name
    if (typeof given !== 'string' || !given) throw new DecodeError(`a ${String(json.type)} of the schema has no name`)
    const dot = given.lastIndexOf('.')
    const own = dot >= 0 ? given.slice(0, dot) : typeof json.namespace === 'string' ? json.namespace : space
    const full = dot >= 0 || !own ? given : `${own}.${given}`
    if (this.named.has(full)) throw new DecodeError(`the schema says twice what ${full} is`)
    const type: Type = { name: full, read: () => null }
    this.named.set(full, type)
    return { type, space: own }
  }

  private record(json: Record<string, unknown>, outer: string, depth: number): Type {
    const { type, space } = this.define(json, outer)
    if (!Array.isArray(json.fields)) throw new DecodeError(`the record ${type.name} has no fields`)
    const fields = json.fields.map((field: unknown) => {
      if (!isObject(field) || typeof field.name !== 'string') throw new DecodeError(`a field of ${type.name} has no name`)
      return { name: field.name, type: this.type(field.type, space, depth + 1) }
    })
    type.read = (reader, budget) =>
      budget.within(() => {
        budget.spend()
        const out = new Fields()
        for (const field of fields) {
          budget.spend()
          out.entries.push([field.name, field.type.read(reader, budget)])
        }
        return out
      })
    return type
  }

  private enumeration(json: Record<string, unknown>, space: string): Type {
    const { type } = this.define(json, space)
    const symbols = json.symbols
    if (!Array.isArray(symbols) || !symbols.every((one) => typeof one === 'string')) throw new DecodeError(`the enum ${type.name} has no symbols`)
    type.read = (reader) => {
      const at = size(reader)
      const symbol = symbols[at] as string | undefined
      if (symbol === undefined) throw new DecodeError(`${type.name} has no symbol ${at}`)
      return symbol
    }
    return type
  }

  private fixed(json: Record<string, unknown>, space: string): Type {
    const { type } = this.define(json, space)
    const length = json.size
    if (typeof length !== 'number' || !Number.isInteger(length) || length < 0) throw new DecodeError(`the fixed ${type.name} has no size`)
    type.read = logical(json, 'fixed', (reader) => hex(reader.take(length)), length)
    return type
  }
}

function union(branches: Type[]): Type {
  // The one branch that can hold something needs no name.
  const plain = branches.filter((one) => one.name !== 'null').length < 2
  return {
    name: 'union',
    read: (reader, budget) => {
      const at = size(reader)
      const branch = branches[at]
      if (!branch) throw new DecodeError(`a union of ${branches.length} has no branch ${at}`)
      return budget.within(() => {
        const value = branch.read(reader, budget)
        return plain || branch.name === 'null' ? value : new Fields([[branch.name, value]])
      })
    },
  }
}

// Blocks: a count and that many items, until a count of 0; a negative one is followed by the block's bytes.
function items<T>(reader: Reader, budget: Budget, read: () => T): T[] {
  return budget.within(() => {
    budget.spend()
    const out: T[] = []
    for (;;) {
      let count = reader.zigzag()
      if (count === 0n) return out
      if (count < 0n) {
        count = -count
        reader.zigzag()
      }
      for (; count > 0n; count--) {
        budget.spend()
        out.push(read())
      }
    }
  })
}

const readMap =
  (item: Type): Read =>
  (reader, budget) =>
    new Fields(items(reader, budget, () => [reader.text(size(reader)), item.read(reader, budget)] as [string, Value]))

const perSecond: Record<string, bigint> = { millis: 1000n, micros: 1_000_000n, nanos: 1_000_000_000n }

function clock(value: bigint, unit: string): string {
  const per = perSecond[unit]!
  const seconds = value / per
  const pad = (n: bigint, width = 2) => String(n).padStart(width, '0')
  return `${pad(seconds / 3600n)}:${pad((seconds / 60n) % 60n)}:${pad(seconds % 60n)}.${pad(value % per, String(per).length - 1)}`
}

function instant(value: bigint, unit: string, zone: string): Value {
  const day = 86_400n * perSecond[unit]!
  const rest = ((value % day) + day) % day
  const date = calendar(Number((value - rest) / day))
  return date === null ? value : `${date}T${clock(rest, unit)}${zone}`
}

function calendar(days: number): string | null {
  const date = new Date(days * 86_400_000)
  return Number.isNaN(date.getTime()) ? null : date.toISOString().slice(0, -14)
}

function decimal(bytes: Uint8Array, scale: number): string {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  value = BigInt.asIntN(bytes.length * 8, value)
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  return `${value < 0n ? '-' : ''}${whole}${scale ? `.${digits.slice(-scale)}` : ''}`
}

const decimalBytesMax = 4096 // longer ones are shown as their bytes: making digits of them takes its square

function uuid(digits: string): string {
  return [0, 8, 12, 16, 20].map((at, i, all) => digits.slice(at, all[i + 1] ?? 32)).join('-')
}

// A logical type that does not fit its base is ignored, as the specification wants.
function logical(json: Record<string, unknown>, base: string, plain: Read, length = 0): Read {
  const kind = json.logicalType
  const scale = json.scale ?? 0
  if (kind === 'decimal' && (base === 'bytes' || base === 'fixed') && typeof scale === 'number' && Number.isInteger(scale) && scale >= 0 && scale < 1000) {
    return (reader) => {
      const bytes = reader.take(base === 'fixed' ? length : size(reader))
      return bytes.length > decimalBytesMax ? hex(bytes) : decimal(bytes, scale)
    }
  }
  if (kind === 'uuid' && base === 'fixed' && length === 16) return (reader) => uuid(hex(reader.take(16)).slice(2))
  if (kind === 'duration' && base === 'fixed' && length === 12) {
    return (reader) => {
      reader.take(12)
      const part = (back: number) => reader.view.getUint32(reader.at - back, true)
      return new Fields([['months', part(12)], ['days', part(8)], ['millis', part(4)]])
    }
  }
  if (kind === 'date' && base === 'int') return (reader, budget) => {
    const days = plain(reader, budget) as number
    return calendar(days) ?? days
  }
  const time = /^(time|timestamp|local-timestamp)-(millis|micros|nanos)$/.exec(String(kind))
  if (!time) return plain
  const [, what, unit] = time as unknown as [string, string, string]
  if (what === 'time' && base === (unit === 'millis' ? 'int' : 'long')) {
    return (reader, budget) => {
      const value = BigInt(plain(reader, budget) as number | bigint)
      return value >= 0n && value < 86_400n * perSecond[unit]! ? clock(value, unit) : value
    }
  }
  if (what !== 'time' && base === 'long') return (reader, budget) => instant(plain(reader, budget) as bigint, unit, what === 'timestamp' ? 'Z' : '')
  return plain
}
