import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Decoder, Message } from '../api/types'
import { parseAvro, readAvro } from './avro'
import { decode, decodedLine, decoderFor, decoderName, descriptorsOf, fromBase64, rawProtobuf } from './decode'
import { Reader, depthMax, textOf, valuesMax } from './decoded'
import { messageTypes, parseDescriptors, readProtobuf } from './protobuf'

// Written by the libraries that the file names.
const golden = JSON.parse(readFileSync(fileURLToPath(new URL('../../../tests/golden/messages/decoders.json', import.meta.url)), 'utf8'))
const fromHex = (text: string) => Uint8Array.from(text.replaceAll(' ', '').match(/../g) ?? [], (byte) => parseInt(byte, 16))
const avro = (schema: unknown, bytes: string) => textOf(readAvro(parseAvro(JSON.stringify(schema)), fromHex(bytes)), null)
const hexOf = (bytes: number[]) => bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')
const decoder = (over: Partial<Decoder>): Decoder => ({ id: JSON.stringify(over), format: 'avro', message_type: '', definition: '"string"', changed_millis: 0, changed_by: 'ann', ...over })
const message = (bytes: Uint8Array): Message => ({ partition: 0, offset: 0, timestamp_millis: 0, key: null, key_encoding: 'text', value: btoa(String.fromCharCode(...bytes)), value_encoding: 'base64', value_bytes: bytes.length, truncated: false, headers: [] })

describe('avro', () => {
  it('reads what another library wrote', () => {
    const inner = '"id": 9223372036854775807, "item": "tëa", "ok": true, "f": 0.1, "d": -1.5, "raw": "0x00ff"'
    const after = '"kind": "B", "again": "A", "tags": ["a", "b"], "map": {"k": -1}, "price": "-12.34", "day": "2024-02-29", "at": "1969-12-31T23:59:59.999999Z", "clock": "13:05:09.007", "key": "12345678-1234-5678-1234-567812345678", "four": "0x61626364"'
    const wanted = `{${inner}, "note": null, "either": {"string": "x"}, ${after}, "next": {${inner}, "note": "n", "either": {"int": 7}, ${after}, "next": null}}`
    expect(avro(golden.avro_schema, golden.avro_order)).toBe(wanted.replaceAll('": ', '":'))
  })
  it.each([
    ['long', '01', '-1'], ['long', 'feffffffffffffffff01', '9223372036854775807'], ['long', 'ffffffffffffffffff01', '-9223372036854775808'],
    ['int', '808080801e', null], ['int', 'ffffffff0f', '-2147483648'], ['boolean', '02', null], ['string', '04ff61', null], ['string', '01', null],
    ['double', '000000000000f87f', '"NaN"'], [{ type: 'array', items: 'long' }, '03040636 00', '[3, 27]'],
    [{ type: 'enum', name: 'E', symbols: ['A'] }, '02', null], [['null', 'long'], '04', null], ['long', '0000', null], ['bytes', 'feffffffffffffffff01', null],
    [{ type: 'fixed', name: 'F', size: 12, logicalType: 'duration' }, '010000000200000003000000', '{"months":1, "days":2, "millis":3}'],
    [{ type: 'bytes', logicalType: 'decimal', precision: 3, scale: 2 }, '0205', '"0.05"'], [{ type: 'int', logicalType: 'date' }, 'feffffff0f', '2147483647'],
    [{ type: 'long', logicalType: 'local-timestamp-millis' }, '00', '"1970-01-01T00:00:00.000"'], [{ type: 'string', logicalType: 'date' }, '0261', '"a"'],
  ])('%j of %s is %s', (schema, bytes, wanted) => {
    if (wanted === null) expect(() => avro(schema, bytes)).toThrow()
    else expect(avro(schema, bytes)).toBe(wanted)
  })
  it.each([['no'], ['{"type":"record","name":"R","fields":[{"name":"a","type":"Other"}]}'], ['{"type":"fixed","name":"F","size":-1}'], ['{"type":"enum","name":"E"}'], ['12']])('refuses the schema %s', (text) => {
    expect(() => parseAvro(text)).toThrow()
  })
  it('ends, whatever it is given', () => {
    expect(() => avro({ type: 'record', name: 'R', fields: [{ name: 'r', type: 'R' }] }, '')).toThrow(`${depthMax} levels`)
    expect(() => parseAvro('{"type":'.repeat(400) + '"int"' + '}'.repeat(400))).toThrow(`${depthMax} levels`)
    expect(() => avro({ type: 'array', items: 'null' }, 'feffffffffffffffff01')).toThrow(`${valuesMax} values`)
    let wide: unknown = 'null'
    for (let i = 0; i < 30; i++) wide = { type: 'record', name: `R${i}`, fields: [{ name: 'a', type: wide }, { name: 'b', type: i ? `R${i - 1}` : 'null' }] }
    expect(() => avro(wide, '')).toThrow(`${valuesMax} values`)
  })
  it('takes names for names', () => {
    expect(avro({ type: 'record', name: 'R', fields: [{ name: '__proto__', type: 'int' }] }, '02')).toBe('{"__proto__":1}')
    expect(() => parseAvro('"constructor"')).toThrow()
  })
})

describe('protobuf', () => {
  const descriptors = descriptorsOf(golden.descriptors)
  it('reads what another library wrote', () => {
    expect(textOf(readProtobuf(descriptors, 'shop.Order', fromHex(golden.protobuf_order)), null)).toBe(
      '{"id":-5, "state":"PAID", "lines":[{"item":"tea", "count":-3, "weights":[0.5, 2]}, {"item":"ü"}], "stock":{"a":1}, "total":{"currency":"EUR", "units":12, "nanos":-7}, "raw":"0x00ff", "numbers":[1, 300], "street":"Main", "mark":9223372036854775808, "ratio":0.1, "low":-1099511627776, "zero":0, "high":18446744073709551615}',
    )
    expect(messageTypes(descriptors)).toEqual(['shop.Money', 'shop.Order', 'shop.Order.Line', 'shop.Other'])
  })
  it('merges what is given twice, and shows what the schema does not know', () => {
    const text = (bytes: string) => textOf(readProtobuf(descriptors, 'shop.Order', fromHex(bytes)), null)
    expect(text('0801 0802 2a02 1001 2a02 0a00 3801 3802')).toBe('{"id":2, "total":{"currency":"", "units":1}, "numbers":[1, 2]}')
    expect(text('1007 e83f01 f23f0161')).toBe('{"state":7, "(unknown field 1021)":1, "(unknown field 1022)":"0x61"}')
    expect(() => text('0a0161')).toThrow('id, is not of the type')
    expect(() => text('1a05')).toThrow('ends too early')
    expect(text('2200')).toBe('{"stock":{"":0}}')
  })
  it('shows the numbers of fields without a schema', () => {
    expect(rawProtobuf(fromHex('089601 1207 74657374696e67 1a03 089601 2200 2a02 00ff 330801 34 3d01000000'))).toBe('1: 150\n2: "testing"\n3 {\n  1: 150\n}\n4: ""\n5: 0x00ff\n6 {\n  1: 1\n}\n7: 0x00000001')
    for (const bad of ['00', '0f', '0c', '08', '33', '0a05', 'ffffffffffffffffffffff']) expect(() => rawProtobuf(fromHex(bad)), bad).toThrow()
  })
  it('ends, whatever it is given', () => {
    expect(() => rawProtobuf(fromHex('0b'.repeat(1000)))).toThrow(`${depthMax} levels`)
    expect(() => rawProtobuf(new Uint8Array(1 << 20).fill(0).map((_, i) => (i % 2 ? 1 : 8)))).toThrow(`${valuesMax} values`)
    // Each level one message, so that each is tried again at the level below.
    let nested = new Uint8Array([8, 1])
    for (let i = 0; i < 300; i++) nested = Uint8Array.from([10, ...lengthOf(nested.length), ...nested])
    const began = performance.now()
    expect(rawProtobuf(nested)).toContain('1 {')
    expect(performance.now() - began).toBeLessThan(2000)
  })
  it.each([[''], ['0a00'], ['ff'], ['0801'], ['0a0408012200']])('refuses the descriptors %s', (bytes) => {
    expect(() => parseDescriptors(fromHex(bytes))).toThrow()
  })
})

function lengthOf(length: number): number[] {
  return length < 128 ? [length] : [(length & 127) | 128, ...lengthOf(length >> 7)]
}

describe('a message', () => {
  const plain = decoder({ id: 'plain' })
  const framed = decoder({ id: 'framed', schema_id: 7, definition: JSON.stringify(golden.avro_schema) })
  const proto = decoder({ id: 'proto', schema_id: 8, format: 'protobuf', definition: golden.descriptors })
  const named = decoder({ id: 'named', format: 'protobuf', message_type: 'shop.Other', definition: golden.descriptors })
  const text = (bytes: string, list: Decoder[]) => decodedLine(message(fromHex(bytes)), list)
  it('is read by the decoder of its frame, else by the one without', () => {
    const all = [plain, framed, proto]
    expect(decoderFor(fromHex('0000000007 02'), all)).toBe(framed)
    expect(decoderFor(fromHex('0000000009 02'), all)).toBe(plain)
    expect(decoderFor(fromHex('0000000009 02'), [framed])).toBe(null)
    expect(text('0000000007' + golden.avro_order, all)).toContain('"item":"tëa"')
    expect(text('0261', all)).toBe('"a"')
    expect(text('ff', all)).toBe(null)
  })
  it('says in its frame which Protobuf type it is', () => {
    expect(text('0000000008 00' + golden.protobuf_order, [proto])).toContain('"id":-5')
    expect(text('0000000008 0202' + golden.protobuf_other, [proto])).toBe('{"word":"hello"}')
    expect(text('0000000008 040000 0a0174', [proto])).toBe('{"item":"t"}')
    expect(() => decode(fromHex('0000000008 0208'), proto)).toThrow('which the descriptors do not have')
    expect(() => decode(fromHex('0000000008 feffffff0f'), proto)).toThrow('does not say a message type')
    expect(text(golden.protobuf_other, [named])).toBe('{"word":"hello"}')
  })
  it('says why it is not read', () => {
    expect(() => decode(fromHex('0261'), framed)).toThrow('no frame')
    expect(() => decode(fromHex('0000000009'), framed)).toThrow('of schema 9')
    expect(() => decode(new Uint8Array((1 << 20) + 1), plain)).toThrow('1 MiB')
    expect(() => decode(fromHex('00'), decoder({ definition: 'no' }))).toThrow('is JSON')
    expect([plain, framed, named].map(decoderName)).toEqual(['Avro', 'Avro schema 7', 'Protobuf shop.Other'])
  })
})

describe('hostile bytes', () => {
  it('are read or refused, and quickly', () => {
    let state = 1
    const next = () => (state = (state * 1103515245 + 12345) % 2147483648)
    const began = performance.now()
    const descriptors = descriptorsOf(golden.descriptors)
    const schema = parseAvro(JSON.stringify(golden.avro_schema))
    const sample = [golden.protobuf_order, golden.avro_order, hexOf([...fromBase64(golden.descriptors)])].map(fromHex)
    for (let round = 0; round < 900; round++) {
      const bytes = Uint8Array.from(sample[round % 3]!)
      for (let i = 0; i < 3; i++) bytes[next() % bytes.length] = next() % 256
      for (const run of [() => rawProtobuf(bytes), () => readProtobuf(descriptors, 'shop.Order', bytes), () => readAvro(schema, bytes), () => parseDescriptors(bytes)]) {
        try {
          run()
        } catch (problem) {
          expect((problem as Error).constructor.name).toBe('DecodeError')
        }
      }
    }
    expect(performance.now() - began).toBeLessThan(20_000)
    expect(new Reader(fromHex('8001')).varint()).toBe(128n)
  }, 30_000)
})
