import { expect, it } from 'vitest'
import { look, speeds } from './rates'

const at = (seconds: number, records: number, bytes?: number) => ({ at: seconds * 1000, operators: [{ id: 'source', name: 't', records_in: records, records_out: records, ...(bytes === undefined ? {} : { bytes_in: bytes }) }] })

it('is what came in between the looks of the last seconds', () => {
  let looks = look([], at(1, 100, 10))
  expect(speeds(looks)).toEqual({})
  looks = look(looks, at(3, 300, 50))
  expect(speeds(looks)).toEqual({ source: { records: 100, bytes: 20 } })
  expect(look(looks, at(3, 300))).toBe(looks)
  looks = look(looks, at(13, 300, 50))
  expect(speeds(looks)).toEqual({ source: { records: 0, bytes: 0 } })
})
it('begins again with another process', () => {
  const looks = look(look([], at(1, 100)), at(2, 7))
  expect(speeds(looks)).toEqual({})
  expect(speeds(look(looks, at(4, 9)))).toEqual({ source: { records: 1, bytes: null } })
})
