// Statements about one table, as the Catalog page asks them.
import { quoteName } from './statements'

export interface TableName {
  catalog: string
  schema: string
  name: string
}

export const tableSql = (table: TableName) => [table.catalog, table.schema, table.name].map(quoteName).join('.')

// Its files, partitions, refs: a table beside it.
export const besideSql = (table: TableName, kind: string) => [quoteName(table.catalog), quoteName(table.schema), quoteName(`${table.name}$${kind}`)].join('.')

const asOf = (table: TableName, snapshot: string) => `SELECT * FROM ${tableSql(table)} FOR VERSION AS OF ${snapshot}`

// Rows that `to` has and `from` has not. Without `from`: all of them.
export const rowsOnlyIn = (table: TableName, to: string, from: string | null | undefined, most: number) =>
  `SELECT * FROM (${asOf(table, to)}${from ? ` EXCEPT ${asOf(table, from)}` : ''}) LIMIT ${most}`

export const filesOf = (table: TableName, snapshot: string) =>
  `SELECT status, data_file.content, data_file.file_path, data_file.record_count, data_file.file_size_in_bytes FROM ${besideSql(table, 'all_entries')} WHERE snapshot_id = ${snapshot} AND status IN (1, 2) ORDER BY 1, 3`

export interface Upkeep {
  name: string
  about: string
  sql: (table: TableName) => string
  asks?: string // before it is run: what does not come back
}

const execute = (table: TableName, what: string) => `ALTER TABLE ${tableSql(table)} EXECUTE ${what}`

export const upkeeps: Upkeep[] = [
  { name: 'Rewrite small files', about: 'Many small files become few large ones, and rows that were deleted leave the files.', sql: (table) => execute(table, 'optimize') },
  { name: 'Rewrite manifests', about: 'The lists of files are put in order by partition: planning reads fewer of them.', sql: (table) => execute(table, 'optimize_manifests') },
  { name: 'Measure columns', about: 'Counts of distinct values and nulls, for the optimizer (ANALYZE).', sql: (table) => `ANALYZE ${tableSql(table)}` },
  { name: 'Expire snapshots', about: 'Snapshots older than seven days go, with the files that only they need.', sql: (table) => execute(table, "expire_snapshots(retention_threshold => '7d')"), asks: 'There is no way back to snapshots that have expired.' },
  { name: 'Remove orphans', about: 'Files below the table that no snapshot knows and that are older than seven days go.', sql: (table) => execute(table, "remove_orphan_files(retention_threshold => '7d')"), asks: 'Files that other programs have put below the table go too.' },
]
