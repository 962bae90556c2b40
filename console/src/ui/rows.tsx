// Some rows of a result, as a table; long results have the grid.
import type { ResultColumn } from '../api/types'
import { cellText, isNumeric, type Row } from '../lib/results'

export function Rows({ columns, rows, label }: { columns: ResultColumn[]; rows: Row[]; label: string }) {
  return (
    <div className="scroll preview-rows" tabIndex={0} aria-label={label}>
      <table className="table">
        <thead><tr>{columns.map((column, i) => <th key={i} className={isNumeric(column.type) ? 'right' : ''}>{column.name}<small>{column.type}</small></th>)}</tr></thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>
              {columns.map((column, i) => <td key={i} className={isNumeric(column.type) ? 'right num' : ''}>{row[i] === null || row[i] === undefined ? <i className="muted">null</i> : cellText(row[i]).slice(0, 300)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
