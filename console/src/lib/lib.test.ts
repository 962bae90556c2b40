import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { csvRows } from './csv'
import { bytes, duration, hexDump, short } from './format'
import { guessSource } from './guess'
import { highlight } from './highlight'
import { parseLossless, prettyJson } from './json'
import { parseMetrics } from './metrics'
import { layout, seconds, shares } from './plan'
import { rank } from './rank'
import { csv, jsonLines, tabs } from './results'
import { offsetOf, onlyReads, quoteName, statementAt, statements } from './statements'
import { partsOf } from './upload'
// @ts-expect-error a script without types
import { generate, source, target } from '../../tools/api_types.mjs'

describe('the types of the API', () => {
  it('are those of the document', () => {
    expect(generate(JSON.parse(readFileSync(source, 'utf8')))).toBe(readFileSync(target, 'utf8'))
  })
})

describe('json', () => {
  it('keeps the digits of wide numbers', () => {
    expect(parseLossless('{"a":9223372036854775807,"b":1.5,"c":12}')).toEqual({ a: '9223372036854775807', b: 1.5, c: 12 })
    expect(parseLossless('[1,-9007199254740993]')).toEqual([1, '-9007199254740993'])
  })
  it('indents without touching values', () => {
    expect(prettyJson('{"b":12345678901234567890,"a":[],"t":"x,{}\\"y"}')).toBe('{\n  "b": 12345678901234567890,\n  "a": [],\n  "t": "x,{}\\"y"\n}')
    expect(prettyJson('[1, [2 , 3] ]')).toBe('[\n  1,\n  [\n    2,\n    3\n  ]\n]')
    expect(prettyJson('not json')).toBeNull()
  })
})

describe('plans', () => {
  const step = (id: number, parent: number | null, took?: number) => ({ id, parent, name: 'Step', about: {}, details: [], ...(took === undefined ? {} : { seconds: took }) })
  it('put inputs left of what takes their rows', () => {
    // an output over a join of two scans
    expect(layout([step(0, null), step(1, 0), step(2, 1), step(3, 1)])).toEqual([
      { x: -0, y: 52 }, { x: -240, y: 52 }, { x: -480, y: 0 }, { x: -480, y: 104 },
    ])
    expect(layout([])).toEqual([])
  })
  it('share out the time, if it was measured', () => {
    expect(shares([step(0, null), step(1, 0, 1), step(2, 1, 3)])).toEqual([null, 0.25, 0.75])
    expect(shares([step(0, null), step(1, 0)])).toEqual([null, null])
    expect([2e-5, 0.0125, 0.25, 2].map(seconds)).toEqual(['20 µs', '12.5 ms', '250 ms', '2.00 s'])
  })
})

describe('a CSV file', () => {
  it('is read with its quotes and line ends', () => {
    expect(csvRows('a,b\r\n"x ""y"", z","two\nlines"\r\n\r\n,', false, 9)).toEqual([['a', 'b'], ['x "y", z', 'two\nlines'], ['', '']])
    expect(csvRows('\ufeffa;b\n1;2,5', false, 9)).toEqual([['a', 'b'], ['1', '2,5']])
    expect(csvRows('', false, 9)).toEqual([])
  })
  it('loses the row that was cut off, and what is too many', () => {
    expect(csvRows('a\n1\n2', true, 9)).toEqual([['a'], ['1']])
    expect(csvRows('a\n1\n2\n3', false, 2)).toEqual([['a'], ['1']])
  })
})

describe('statements that read', () => {
  it('are known by their first word', () => {
    for (const text of ['SELECT 1', '-- why\n/* x */ (with a as (select 1) table a)', 'VALUES 1', 'EXPLAIN ANALYZE SELECT 1', 'explain (type io) DELETE FROM t'])
      expect(onlyReads(text)).toBe(true)
    for (const text of ['DELETE FROM t', '/* select */ INSERT INTO t SELECT 1', 'selection', 'EXPLAIN ANALYZE VERBOSE DELETE FROM t', ''])
      expect(onlyReads(text)).toBe(false)
  })
})

describe('results', () => {
  it('become CSV and JSON lines', () => {
    expect(csv(['a', 'b,c'], [[1, 'x"y'], [null, 'two\nlines']])).toBe('a,"b,c"\r\n1,"x""y"\r\n,"two\nlines"\r\n')
    expect(jsonLines(['a', 'b'], [[1, null]])).toBe('{"a":1,"b":null}\n')
    expect(tabs(['a'], [['x\ty']])).toBe('a\nx y')
  })
})

describe('statements', () => {
  it('end at semicolons outside of strings and comments', () => {
    const text = "SELECT ';' -- a; b\n; /* ; */ SELECT \"x;y\";\n-- nothing\n"
    expect(statements(text).map((one) => one.text)).toEqual(["SELECT ';' -- a; b", '/* ; */ SELECT "x;y"'])
  })
  it('are found at the cursor', () => {
    const text = 'SELECT 1;\n\nSELECT 2'
    expect(statementAt(text, 3)?.text).toBe('SELECT 1')
    expect(statementAt(text, text.length)?.from).toBe(11)
    expect(statementAt('', 0)).toBeNull()
  })
  it('turn positions into offsets', () => {
    expect(offsetOf('ab\ncd', 2, 2)).toBe(4)
    expect(offsetOf('ab', 9, 1)).toBe(2)
  })
  it('quote names that need it', () => {
    expect([quoteName('a_1'), quoteName('Order'), quoteName('a"b')]).toEqual(['a_1', '"Order"', '"a""b"'])
  })
})

describe('figures', () => {
  it('are short', () => {
    expect([short(999), short(63_666), short(1_500_000), bytes(512), bytes(6_900_000), duration(343), duration(65_000)]).toEqual(['999', '63.7k', '1.50M', '512 B', '6.6 MB', '343 ms', '1 min 5 s'])
  })
  it('show bytes', () => {
    expect(hexDump('AEH/')).toBe('00000000  00 41 ff                                         ·A·')
  })
})

it('a search marks each place', () => {
  expect(highlight('abcabc', 'bc')).toEqual([{ text: 'a', hit: false }, { text: 'bc', hit: true }, { text: 'a', hit: false }, { text: 'bc', hit: true }])
})

it('names are ranked by how they hold the letters', () => {
  expect(rank('pkg', ['tour.packages', 'pkg', 'sql'], (one) => one)).toEqual(['pkg', 'tour.packages'])
})

it('metrics are read without buckets', () => {
  expect(parseMetrics('# HELP a_total What\n# TYPE a_total counter\na_total{x="1"} 5\nb_bucket{le="1"} 2\n')).toEqual([{ name: 'a_total', labels: 'x="1"', value: 5, help: 'What' }])
})

it('files are cut into parts that the store takes', () => {
  expect(partsOf(40 << 20)).toEqual([{ number: 1, from: 0, to: 16 << 20 }, { number: 2, from: 16 << 20, to: 32 << 20 }, { number: 3, from: 32 << 20, to: 40 << 20 }])
  expect(partsOf(1024 ** 4).length).toBeLessThanOrEqual(10_000)
})

describe('a job guessed from messages', () => {
  it('has a column for each member, of the type that fits all', () => {
    const guess = guessSource('My-Orders', ['{"id":1,"price":2,"name":"a"}', '{"id":2,"price":2.5,"tags":[1],"ID":3}', 'broken'])
    expect(guess.script).toContain('`id` BIGINT')
    expect(guess.script).toContain('`price` DOUBLE')
    expect(guess.script).not.toContain('`ID`')
    expect(guess.skipped).toEqual(['tags'])
    expect(guess.prepare[1]).toContain('iceberg.events.my_orders')
    expect(guess.script).toContain("'topic' = 'My-Orders'")
  })
  it('is nothing without JSON', () => expect(guessSource('t', ['x']).script).toBe(''))
})
