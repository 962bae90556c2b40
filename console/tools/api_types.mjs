// docs/api/openapi.json -> src/api/types.ts: a type for each record, and one row for each operation.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
export const source = join(here, '..', '..', 'docs', 'api', 'openapi.json')
export const target = join(here, '..', 'src', 'api', 'types.ts')

function typeOf(schema) {
  if (schema.$ref) return schema.$ref.split('/').pop()
  if (schema.type === 'array') return `${typeOf(schema.items)}[]`
  if (schema.type === 'integer' || schema.type === 'number') return 'number'
  if (schema.type === 'string' || schema.type === 'boolean') return schema.type
  if (schema.type === 'object') return 'Record<string, string | null>'
  return 'unknown'
}

function record(name, schema) {
  const lines = Object.entries(schema.properties).map(([field, type]) => {
    const about = type.description ? `  /** ${type.description} */\n` : ''
    const optional = schema.required.includes(field) ? '' : '?'
    return `${about}  ${field}${optional}: ${typeOf(type)}${optional ? ' | null' : ''}`
  })
  return `export interface ${name} {\n${lines.join('\n')}\n}\n`
}

function operation(path, method, row) {
  const fields = (place) =>
    (row.parameters ?? [])
      .filter((one) => one.in === place)
      .map((one) => `${one.name}${one.required ? '' : '?'}: ${typeOf(one.schema)}`)
  const content = (part) => part?.content?.['application/json']?.schema
  const shape = (list) => (list.length ? `{ ${list.join('; ')} }` : 'Record<string, never>')
  const body = content(row.requestBody)
  const answer = content(row.responses['200'])
  return [
    `  /** ${row.summary} (${row['x-role']}) */`,
    `  ${row.operationId}: {`,
    `    path: ${shape(fields('path'))}`,
    `    query: ${shape(fields('query'))}`,
    `    body: ${body ? typeOf(body) : 'undefined'}`,
    `    answer: ${answer ? typeOf(answer) : 'undefined'}`,
    '  }',
  ].join('\n')
}

export function generate(document) {
  const records = Object.entries(document.components.schemas).map(([name, schema]) => record(name, schema))
  const operations = []
  const table = []
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, row] of Object.entries(methods)) {
      operations.push(operation(path, method, row))
      table.push(`  ${row.operationId}: ['${method.toUpperCase()}', '${path}'],`)
    }
  }
  return [
    '// Made by tools/api_types.mjs from docs/api/openapi.json: not edited by hand.',
    '',
    ...records,
    'export interface Operations {',
    ...operations,
    '}',
    '',
    'export const operations = {',
    ...table,
    '} as const satisfies Record<keyof Operations, readonly [string, string]>',
    '',
  ].join('\n')
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(target, generate(JSON.parse(readFileSync(source, 'utf8'))))
}
