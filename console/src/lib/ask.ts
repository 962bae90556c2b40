// A statement of ours, run to its end: what a page needs of the catalog, not what a person wrote.
import { call } from '../api/client'
import type { ResultColumn } from '../api/types'
import type { Row } from './results'

export interface Answered {
  columns: ResultColumn[]
  rows: Row[]
  isCut: boolean // more rows were there
}

export async function ask(sql: string, rowsMax = 1000): Promise<Answered> {
  const { id } = await call('startQuery', { body: { sql } })
  const out: Answered = { columns: [], rows: [], isCut: false }
  for (let page = 0; ; page++) {
    const answer = await call('getPage', { path: { id, page: String(page) } })
    if (page === 0) out.columns = answer.columns
    out.rows.push(...(answer.rows as Row[]))
    if (out.rows.length > rowsMax) {
      out.rows.length = rowsMax
      out.isCut = true
      if (!answer.done) await call('cancelQuery', { path: { id } })
      return out
    }
    if (answer.done) return out
  }
}
