import { describe, expect, it } from 'vitest'
import type { Cell } from './results'
import { orderOf } from './sorting'

const sorted = async (values: Cell[], numeric: boolean, down = false) => {
  const order = await orderOf(values.map((value) => [value]), 0, numeric, down, new AbortController().signal)
  return Array.from(order!, (i) => values[i])
}

describe('the order of rows', () => {
  it('has numbers as numbers and nulls last, whichever way', async () => {
    expect(await sorted(['10', null, '9'], true)).toEqual(['9', '10', null])
    expect(await sorted(['10', null, '9'], true, true)).toEqual(['10', '9', null])
    expect(await sorted(['9223372036854775807', 5, '9223372036854775806'], true)).toEqual([5, '9223372036854775806', '9223372036854775807'])
    expect(await sorted(['b', 'a', '10', '9'], false)).toEqual(['10', '9', 'a', 'b'])
    expect(await sorted([], true)).toEqual([])
  })
  it('is that of a stable sort, also when it is made in many slices', async () => {
    let seed = 7
    const values = Array.from({ length: 50_001 }, () => (seed = (seed * 48271) % 2147483647) % 1000)
    const rows = values.map((value, i) => [value, i])
    for (const down of [false, true]) {
      const order = await orderOf(rows, 0, true, down, new AbortController().signal)
      const wanted = rows.map((_, i) => i).sort((a, b) => (down ? values[b]! - values[a]! : values[a]! - values[b]!))
      expect(Array.from(order!)).toEqual(wanted)
    }
  })
  it('is given up when nobody wants it any more', async () => {
    const stop = new AbortController()
    const order = orderOf(Array.from({ length: 100_000 }, (_, i) => [i]), 0, true, true, stop.signal)
    stop.abort()
    expect(await order).toBeNull()
  })
})
