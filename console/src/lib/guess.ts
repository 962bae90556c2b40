// A job that makes a topic of JSON objects a table: its columns are read off some messages.
import { quoteName } from './statements'

type Kind = 'BIGINT' | 'DOUBLE' | 'BOOLEAN' | 'STRING'

function kindOf(value: unknown): Kind | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'boolean') return 'BOOLEAN'
  if (typeof value === 'number') return Number.isInteger(value) ? 'BIGINT' : 'DOUBLE'
  return 'STRING'
}

function both(a: Kind | null, b: Kind | null): Kind | null {
  if (a === null || a === b) return b
  if (b === null) return a
  const numbers = ['BIGINT', 'DOUBLE']
  return numbers.includes(a) && numbers.includes(b) ? 'DOUBLE' : 'STRING'
}

export interface Guess {
  prepare: string[]
  script: string
  skipped: string[]
}

export function guessSource(topic: string, values: string[]): Guess {
  const columns = new Map<string, Kind | null>()
  const nested = new Set<string>()
  for (const text of values) {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      continue
    }
    if (value === null || typeof value !== 'object' || Array.isArray(value)) continue
    for (const [name, cell] of Object.entries(value)) {
      if (cell !== null && typeof cell === 'object') nested.add(name)
      else columns.set(name, both(columns.get(name) ?? null, kindOf(cell)))
    }
  }
  for (const name of nested) columns.delete(name)
  // SQL names compare without case: of members that differ only so, the first stays.
  const seen = new Set(['event_time'])
  const kept = [...columns].filter(([name]) => {
    const lower = name.toLowerCase()
    if (seen.has(lower) || name.includes('`')) return false
    seen.add(lower)
    return true
  })
  if (kept.length === 0) return { prepare: [], script: '', skipped: [...nested] }
  const table = topic.toLowerCase().replace(/[^a-z0-9_]+/g, '_').replace(/^(?=[0-9])/, 't_')
  const trino = { BIGINT: 'bigint', DOUBLE: 'double', BOOLEAN: 'boolean', STRING: 'varchar' }
  const type = (kind: Kind | null) => kind ?? 'STRING'
  const source = kept.map(([name, kind]) => `  \`${name}\` ${type(kind)}`)
  source.push("  event_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp'")
  const target = kept.map(([name, kind]) => `  ${quoteName(name.toLowerCase())} ${trino[type(kind)]}`)
  target.push('  event_time timestamp(6) with time zone')
  const selected = [...kept.map(([name]) => `\`${name}\``), 'event_time'].join(', ')
  const quotedTopic = topic.replaceAll("'", "''")
  return {
    prepare: ['CREATE SCHEMA IF NOT EXISTS iceberg.events', `CREATE TABLE IF NOT EXISTS iceberg.events.${quoteName(table)} (\n${target.join(',\n')}\n)`],
    script: `CREATE TABLE \`${table}_source\` (\n${source.join(',\n')}\n) WITH (\n  'connector' = 'kafka',\n  'topic' = '${quotedTopic}',\n  'format' = 'json',\n  'scan.startup.mode' = 'earliest-offset'\n);\n\nINSERT INTO iceberg.events.${table}\nSELECT ${selected}\nFROM \`${table}_source\`;\n`,
    skipped: [...nested],
  }
}
