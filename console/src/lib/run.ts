// One statement on its way: pages are fetched as the grid comes near their end, so the server holds back what nobody
// looks at yet.
import { call, Problem } from '../api/client'
import type { PlanStep, ResultColumn } from '../api/types'
import type { Row } from './results'

export type RunState = 'running' | 'more' | 'done' | 'failed' | 'cancelled'

export class Run {
  state: RunState = 'running'
  columns: ResultColumn[] = []
  plan: PlanStep[] | null = null // of EXPLAIN
  rows: Row[] = []
  version = 0
  elapsed = 0
  began = Date.now()
  percentage = -1
  problem: unknown = null
  update: { type: string; count: number | null } | null = null
  context: { catalog?: string | null; schema?: string | null } = {}
  private id = ''
  private page = 0
  private busy = false
  private wantsAll = false

  constructor(
    readonly sql: string,
    readonly from: number, // of the statement in the sheet
    readonly where: { catalog: string; schema: string },
    private readonly changed: () => void,
  ) {}

  async start() {
    try {
      const { id } = await call('startQuery', { body: { sql: this.sql, catalog: this.where.catalog || null, schema: this.where.schema || null } })
      this.id = id
      if (this.isOver) return this.drop()
      void this.watch()
      await this.fetch()
    } catch (problem) {
      this.fail(problem)
    }
  }

  get isOver() {
    return this.state === 'done' || this.state === 'failed' || this.state === 'cancelled'
  }

  // Asked by the grid when it comes near the end of what is there.
  more = () => {
    if (this.state === 'more' && !this.busy) void this.fetch()
  }

  async all(): Promise<void> {
    this.wantsAll = true
    while (this.state === 'more' || this.state === 'running') {
      if (this.busy) await new Promise((resolve) => setTimeout(resolve, 30))
      else await this.fetch()
    }
  }

  cancel() {
    if (this.isOver) return
    this.state = 'cancelled'
    this.elapsed = Date.now() - this.began
    this.drop()
    this.tell()
  }

  // The server forgets it; nothing to do when it already has.
  private drop() {
    if (this.id) call('cancelQuery', { path: { id: this.id } }).catch(() => undefined)
  }

  private async fetch() {
    if (this.busy) return
    this.busy = true
    try {
      const page = await call('getPage', { path: { id: this.id, page: String(this.page) } })
      if (this.isOver) return
      this.page++
      if (this.columns.length === 0) this.columns = page.columns
      for (const row of page.rows as Row[]) this.rows.push(row)
      this.version++
      this.elapsed = page.elapsed_millis
      if (page.plan) this.plan = page.plan
      if (page.update_type) this.update = { type: page.update_type, count: page.update_count ?? null }
      if (page.set_catalog || page.set_schema) this.context = { catalog: page.set_catalog, schema: page.set_schema }
      this.state = page.done ? 'done' : 'more'
      this.tell()
    } catch (problem) {
      this.fail(problem)
    } finally {
      this.busy = false
    }
  }

  private async watch() {
    while (!this.isOver && (this.state === 'running' || this.wantsAll)) {
      await new Promise((resolve) => setTimeout(resolve, 700))
      if (this.isOver) return
      const progress = await call('getProgress', { path: { id: this.id } }).catch(() => null)
      if (progress) this.percentage = progress.percentage
      this.tell()
    }
  }

  private fail(problem: unknown) {
    if (this.isOver) return
    this.elapsed = Date.now() - this.began
    this.state = problem instanceof Problem && problem.code === 'USER_CANCELED' ? 'cancelled' : 'failed'
    this.problem = problem
    this.tell()
  }

  private tell() {
    this.changed()
  }
}
