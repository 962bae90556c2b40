// A chart of a result: the first column along the bottom, the numbers as lines or bars.
import 'uplot/dist/uPlot.min.css'
import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import type { ResultColumn } from '../api/types'
import { cellText, isNumeric, type Row } from '../lib/results'

const pointsMax = 20_000
const strokes = ['#6366f1', '#0ea5a4', '#e0822d', '#d9468f', '#5a9e1d', '#9b6bdf']

export function ResultChart({ columns, rows, version }: { columns: ResultColumn[]; rows: Row[]; version: number }) {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = box.current
    if (!element) return
    const some = rows.slice(0, pointsMax)
    const first = columns[0]!
    const isTime = /^(date|timestamp)/.test(first.type)
    const numericX = isNumeric(first.type) && columns.length > 1
    const x = some.map((row, i) => (isTime ? Date.parse(cellText(row[0]).replace(' UTC', 'Z').replace(' ', 'T')) / 1000 : numericX ? Number(row[0]) : i))
    const lines = columns.map((column, i) => ({ column, i })).filter(({ column, i }) => isNumeric(column.type) && (i > 0 || columns.length === 1)).slice(0, strokes.length)
    const byX = x.map((_, i) => i).sort((a, b) => x[a]! - x[b]!)
    const data = [byX.map((i) => x[i]!), ...lines.map(({ i }) => byX.map((at) => (some[at]![i] === null ? null : Number(some[at]![i]))))] as uPlot.AlignedData
    const style = getComputedStyle(document.documentElement)
    const ink = style.getPropertyValue('--muted')
    const grid = { stroke: style.getPropertyValue('--line'), width: 1 }
    const font = `11.5px ${style.getPropertyValue('--font')}`
    const bars = !isTime && !numericX && some.length <= 200
    const label = (value: number) => cellText(some[value]?.[0]).slice(0, 14)
    const plot = new uPlot(
      {
        width: element.clientWidth - 28,
        height: 270,
        scales: { x: { time: isTime, range: bars ? (_, low, high) => [low - 0.6, high + 0.6] : undefined }, y: { range: bars ? (_, low, high) => [Math.min(0, low * 1.08), Math.max(0, high * 1.08)] : undefined } },
        axes: [
          { font, stroke: ink, grid: bars ? { show: false } : grid, ticks: grid, values: !isTime && !numericX ? (_, splits) => splits.map((at) => (Number.isInteger(at) && at >= 0 && at < some.length ? label(at) : '')) : undefined },
          { font, stroke: ink, grid, ticks: grid, size: 70 },
        ],
        series: [
          { label: first.name },
          ...lines.map(({ column }, i): uPlot.Series => ({
            label: column.name,
            stroke: strokes[i],
            width: 1.5,
            fill: bars ? `${strokes[i]}55` : undefined,
            paths: bars ? uPlot.paths.bars!({ size: [0.7, 60] }) : undefined,
            points: { show: !bars && some.length < 100 },
          })),
        ],
      },
      data,
      element,
    )
    const resize = new ResizeObserver(() => plot.setSize({ width: element.clientWidth - 28, height: 270 }))
    resize.observe(element)
    return () => {
      resize.disconnect()
      plot.destroy()
    }
  }, [columns, rows, version])
  return <div ref={box} className="chart" role="img" aria-label={`Chart of ${columns.map((column) => column.name).join(', ')}`} />
}
