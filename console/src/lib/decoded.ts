// What messages become once they are taken apart: a tree with its text, and the bounds on the way there. What is read
// comes from strangers: every loop spends from a budget, every recursion has a depth.

export class DecodeError extends Error {}

// Names in the order of the schema; twice the same is possible, `__proto__` is a name like another.
export class Fields {
  constructor(readonly entries: [string, Value][] = []) {}
}
export type Value = null | boolean | number | bigint | string | Value[] | Fields

export const valuesMax = 200_000
export const depthMax = 64

export class Budget {
  private left = valuesMax
  private depth = 0

  spend() {
    if (--this.left < 0) throw new DecodeError(`it has more than ${valuesMax} values, which is more than is shown`)
  }

  within<T>(run: () => T): T {
    if (++this.depth > depthMax) throw new DecodeError(`it is more than ${depthMax} levels deep`)
    try {
      return run()
    } finally {
      this.depth--
    }
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export class Reader {
  readonly view: DataView
  at = 0

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left() {
    return this.bytes.length - this.at
  }

  take(count: number): Uint8Array {
    if (!(count >= 0) || count > this.left) throw new DecodeError(`it ends too early: ${count} bytes are wanted at byte ${this.at}, and ${this.left} are left`)
    const out = this.bytes.subarray(this.at, this.at + count)
    this.at += count
    return out
  }

  // Seven bits a byte, low ones first, ten bytes at most.
  varint(): bigint {
    let low = 0
    for (let i = 0; i < 4; i++) {
      const byte = this.take(1)[0]!
      low += (byte & 0x7f) * 2 ** (7 * i)
      if (byte < 0x80) return BigInt(low)
    }
    let out = BigInt(low)
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.take(1)[0]!
      out |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, out)
    }
    throw new DecodeError(`a whole number has more than ten bytes at byte ${this.at - 10}`)
  }

  zigzag(): bigint {
    const raw = this.varint()
    return raw & 1n ? -(raw >> 1n) - 1n : raw >> 1n
  }

  float(): number {
    return this.take(4) && this.view.getFloat32(this.at - 4, true)
  }

  double(): number {
    return this.take(8) && this.view.getFloat64(this.at - 8, true)
  }

  text(count: number): string {
    const bytes = this.take(count)
    try {
      return utf8.decode(bytes)
    } catch {
      throw new DecodeError(`a text at byte ${this.at - count} is not UTF-8`)
    }
  }
}

export const hex = (bytes: Uint8Array) => `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`

// As JSON, whole numbers of 64 bits with all their digits. A float has no more digits than it was made of.
export function textOf(value: Value, indent: number | null, level = 0): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : `"${value}"`
  if (!(value instanceof Fields) && !Array.isArray(value)) return String(value)
  const inside = indent === null ? '' : '\n' + ' '.repeat(indent * (level + 1))
  const after = indent === null ? '' : '\n' + ' '.repeat(indent * level)
  const parts = Array.isArray(value)
    ? value.map((one) => textOf(one, indent, level + 1))
    : value.entries.map(([name, one]) => `${JSON.stringify(name)}:${indent === null ? '' : ' '}${textOf(one, indent, level + 1)}`)
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  if (parts.length === 0) return `${open}${close}`
  return `${open}${inside}${parts.join(`,${inside || ' '}`)}${after}${close}`
}
