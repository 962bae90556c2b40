// Rows and columns of a result: only the cells in sight exist, so a million rows scroll like ten.
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react'
import type { ResultColumn } from '../api/types'
import { cellText, isNumeric, type Row } from '../lib/results'
import { orderOf } from '../lib/sorting'

const rowHeight = 26
const headHeight = 40
const indexWidth = 64
// Browsers give up on elements taller than about 33 million pixels.
const rowsMax = 1_200_000

interface Props {
  columns: ResultColumn[]
  rows: Row[]
  version: number // grows with the rows
  onEnd: () => void
  onOpen: (value: unknown, column: ResultColumn) => void
}

export function ResultGrid({ columns, rows, version, onEnd, onOpen }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const [sort, setSort] = useState<{ column: number; down: boolean } | null>(null)
  const [picked, setPicked] = useState<{ row: number; column: number }>({ row: 0, column: 0 })
  useEffect(() => setSort(null), [columns])
  const [order, setOrder] = useState<Uint32Array | null>(null)
  const [isSorting, setIsSorting] = useState(false)
  useEffect(() => {
    if (!sort) return setOrder(null)
    const stop = new AbortController()
    setIsSorting(true)
    void orderOf(rows, sort.column, isNumeric(columns[sort.column]?.type ?? ''), sort.down, stop.signal).then((made) => {
      if (stop.signal.aborted) return
      setOrder(made)
      setIsSorting(false)
    })
    return () => {
      stop.abort()
      setIsSorting(false)
    }
    // eslint-disable-next-line
  }, [sort, rows, version, columns])
  // Rows that came after the order was made are behind it until the next is there.
  const rowAt = (i: number) => rows[order && i < order.length ? order[i]! : i]
  const widths = useMemo(
    () =>
      columns.map((column, i) => {
        let longest = Math.max(column.name.length * 1.08, Math.min(column.type.length * 0.85, 18))
        for (const row of rows.slice(0, 100)) longest = Math.max(longest, Math.min(cellText(row[i]).length, 60))
        return Math.round(Math.min(420, Math.max(70, longest * 7.3 + 24)))
      }),
    // The first page decides.
    // eslint-disable-next-line
    [columns, rows.length > 0],
  )
  const total = Math.min(rows.length, rowsMax)
  const vertical = useVirtualizer({ count: total, getScrollElement: () => box.current, estimateSize: () => rowHeight, overscan: 16, paddingStart: headHeight, scrollPaddingStart: headHeight })
  const horizontal = useVirtualizer({ count: columns.length, horizontal: true, getScrollElement: () => box.current, estimateSize: (i) => widths[i] ?? 100, overscan: 4, paddingStart: indexWidth, scrollPaddingStart: indexWidth })
  useEffect(() => horizontal.measure(), [widths, horizontal])
  const shown = vertical.getVirtualItems()
  const last = shown[shown.length - 1]
  useEffect(() => {
    if (!last || last.index >= total - 200) onEnd()
  }, [last?.index, total, onEnd, last])
  const cells = horizontal.getVirtualItems()
  const key = (event: KeyboardEvent) => {
    const moves: Record<string, [number, number]> = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], PageDown: [20, 0], PageUp: [-20, 0] }
    const move = moves[event.key]
    if (move) {
      const next = { row: Math.max(0, Math.min(total - 1, picked.row + move[0])), column: Math.max(0, Math.min(columns.length - 1, picked.column + move[1])) }
      setPicked(next)
      vertical.scrollToIndex(next.row)
      horizontal.scrollToIndex(next.column)
    } else if (event.key === 'Enter') {
      const column = columns[picked.column]
      if (column) onOpen(rowAt(picked.row)?.[picked.column], column)
    } else if ((event.ctrlKey || event.metaKey) && event.key === 'c' && !getSelection()?.toString()) {
      void navigator.clipboard.writeText(cellText(rowAt(picked.row)?.[picked.column]))
    } else return
    event.preventDefault()
  }
  return (
    <div ref={box} className="grid" role="grid" aria-label="Result" aria-rowcount={total + 1} aria-colcount={columns.length} tabIndex={0} onKeyDown={key}>
      <div style={{ height: vertical.getTotalSize(), width: horizontal.getTotalSize(), position: 'relative' }}>
        <div className="ghead" role="row" aria-rowindex={1} style={{ width: horizontal.getTotalSize() }}>
          {cells.map((cell) => {
            const column = columns[cell.index]!
            const sorted = sort?.column === cell.index
            return (
              <div key={cell.key} role="columnheader" aria-colindex={cell.index + 1} aria-sort={sorted ? (sort.down ? 'descending' : 'ascending') : 'none'} className="gcol" style={{ left: cell.start, width: cell.size }} title={`${column.name} ${column.type}`} onClick={() => setSort(!sorted ? { column: cell.index, down: false } : sort.down ? null : { column: cell.index, down: true })}>
                <b>
                  {column.name}
                  {sorted ? (isSorting ? ' …' : sort.down ? ' ↓' : ' ↑') : ''}
                </b>
                <small>{column.type}</small>
              </div>
            )
          })}
        </div>
        {shown.map((row) => (
          <div key={row.key} className="grow1" role="row" aria-rowindex={row.index + 2} style={{ top: row.start, width: horizontal.getTotalSize() }}>
            <div className="gcell gindex" role="rowheader" style={{ width: indexWidth, position: 'sticky' }}>{row.index + 1}</div>
            {cells.map((cell) => {
              const value = rowAt(row.index)?.[cell.index]
              const column = columns[cell.index]!
              const none = value === null || value === undefined
              return (
                <div
                  key={cell.key}
                  role="gridcell"
                  aria-colindex={cell.index + 1}
                  className={`gcell ${isNumeric(column.type) ? 'right' : ''} ${none ? 'null' : ''}`}
                  data-picked={picked.row === row.index && picked.column === cell.index}
                  style={{ left: cell.start, width: cell.size }}
                  onClick={() => setPicked({ row: row.index, column: cell.index })}
                  onDoubleClick={() => onOpen(value, column)}
                >
                  {none ? 'null' : cellText(value).slice(0, 300)}
                </div>
              )
            })}
          </div>
        ))}
      </div>
    </div>
  )
}
