import type { ResultColumn } from '../api/types'
import { isNumeric } from './results'

// Whether a result has numbers to draw.
export function chartable(columns: ResultColumn[]): boolean {
  return columns.slice(1).some((column) => isNumeric(column.type)) || (columns.length === 1 && isNumeric(columns[0]!.type))
}
