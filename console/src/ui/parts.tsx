// The small pieces every page is made of.
import * as RadixDialog from '@radix-ui/react-dialog'
import * as RadixMenu from '@radix-ui/react-dropdown-menu'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useRef, useState, useSyncExternalStore, type ButtonHTMLAttributes, type FormEvent, type ReactNode } from 'react'
import { Away, Problem } from '../api/client'
import { Icon, type IconName } from './icons'

type Tone = 'good' | 'warn' | 'bad' | 'plain' | ''

export function Button({ icon, tone = '', small, className = '', children, ...rest }: ButtonHTMLAttributes<HTMLButtonElement> & { icon?: IconName; tone?: string; small?: boolean }) {
  return (
    <button type="button" className={`button ${tone} ${small ? 'small' : ''} ${className}`} {...rest}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  )
}

export function Badge({ tone = '', children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`badge ${tone}`}>{children}</span>
}

const stateTones: Record<string, Tone> = {
  RUNNING: 'good', FINISHED: 'good', Stable: 'good', PAUSED: 'warn', QUEUED: 'warn', PLANNING: 'warn', FAILED: 'bad', STOPPED: '',
  PreparingRebalance: 'warn', CompletingRebalance: 'warn', Empty: '', Dead: '',
}
export const StateBadge = ({ state }: { state: string }) => <Badge tone={stateTones[state] ?? ''}>{state.toLowerCase()}</Badge>

export function errorText(problem: unknown): string {
  if (problem instanceof Problem || problem instanceof Away || problem instanceof Error) return problem.message
  return String(problem)
}

export function ProblemNote({ problem }: { problem: unknown }) {
  if (!problem) return null
  return (
    <div className="problem" role="alert">
      <Icon name="warn" />
      <pre className="grow">{errorText(problem)}</pre>
    </div>
  )
}

export function Empty({ icon, title, children, action }: { icon: IconName; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <Icon name={icon} />
      <b>{title}</b>
      {children && <p>{children}</p>}
      {action && <div className="row">{action}</div>}
    </div>
  )
}

export function Loading({ rows = 6 }: { rows?: number }) {
  return (
    <div className="stack" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} className="skeleton" style={{ width: `${88 - ((i * 17) % 45)}%` }} />
      ))}
    </div>
  )
}

// A query's four faces: waiting, wrong, and what it is for.
export function Loaded<T>({ query, children }: { query: { data: T | undefined; error: unknown; isPending: boolean }; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return <>{children(query.data)}</>
  if (query.error && !(query.error instanceof Away)) return <ProblemNote problem={query.error} />
  return <Loading />
}

export function Field({ label, hint, children }: { label: string; hint?: ReactNode; children: ReactNode }) {
  return (
    <label className="field">
      <span>{label}</span>
      {children}
      {hint && <span className="hint">{hint}</span>}
    </label>
  )
}

export function Search({ value, onChange, label, autoFocus }: { value: string; onChange: (value: string) => void; label: string; autoFocus?: boolean }) {
  return (
    <div className="search">
      <Icon name="search" />
      <input className="input" type="search" aria-label={label} placeholder={label} value={value} autoFocus={autoFocus} onChange={(event) => onChange(event.target.value)} />
    </div>
  )
}

export function Copy({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [done, setDone] = useState(false)
  return (
    <Button
      tone="bare"
      small
      icon={done ? 'check' : 'copy'}
      aria-label={label}
      title={label}
      onClick={() => {
        void navigator.clipboard.writeText(text).then(() => {
          setDone(true)
          setTimeout(() => setDone(false), 1200)
        })
      }}
    />
  )
}

// ---- Dialogs.

interface DialogProps {
  title: string
  about?: string
  wide?: boolean
  onClose: () => void
  children: ReactNode
  submit?: { label: string; tone?: string; disabled?: boolean; run: () => Promise<unknown> }
}

export function Dialog({ title, about, wide, onClose, children, submit }: DialogProps) {
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const run = (event: FormEvent) => {
    event.preventDefault()
    if (!submit || busy || submit.disabled) return
    setBusy(true)
    setProblem(null)
    submit.run().then(onClose, (error: unknown) => {
      setProblem(error)
      setBusy(false)
    })
  }
  return (
    <RadixDialog.Root open onOpenChange={(open) => !open && onClose()}>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className="overlay" />
        <RadixDialog.Content className={`dialog ${wide ? 'wide' : ''}`} aria-describedby={undefined}>
          <header>
            <RadixDialog.Title asChild>
              <h1>{title}</h1>
            </RadixDialog.Title>
            {about && <p>{about}</p>}
          </header>
          <form onSubmit={run} style={{ display: 'contents' }}>
            <div className="content">
              {children}
              <ProblemNote problem={problem} />
            </div>
            <footer>
              <Button onClick={onClose}>{submit ? 'Cancel' : 'Close'}</Button>
              {submit && (
                <button type="submit" className={`button primary ${submit.tone ?? ''}`} disabled={busy || submit.disabled}>
                  {busy && <i className="spin" />}
                  {submit.label}
                </button>
              )}
            </footer>
          </form>
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  )
}

export function Drawer({ title, actions, onClose, children }: { title: ReactNode; actions?: ReactNode; onClose: () => void; children: ReactNode }) {
  return (
    <RadixDialog.Root open onOpenChange={(open) => !open && onClose()}>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className="overlay" />
        <RadixDialog.Content className="drawer" aria-describedby={undefined}>
          <header>
            <RadixDialog.Title asChild>
              <h1 className="grow truncate">{title}</h1>
            </RadixDialog.Title>
            {actions}
            <RadixDialog.Close asChild>
              <Button tone="bare" icon="close" aria-label="Close" />
            </RadixDialog.Close>
          </header>
          <div className="content">{children}</div>
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  )
}

export function Confirm({ title, about, word, label, onClose, run }: { title: string; about: string; word?: string; label: string; onClose: () => void; run: () => Promise<unknown> }) {
  const [typed, setTyped] = useState('')
  return (
    <Dialog title={title} about={about} onClose={onClose} submit={{ label, tone: 'bad', disabled: word !== undefined && typed !== word, run }}>
      {word !== undefined && (
        <Field label={`Type ${word} to go on`}>
          <input className="input" value={typed} autoFocus onChange={(event) => setTyped(event.target.value)} />
        </Field>
      )}
    </Dialog>
  )
}

export interface MenuItem {
  label: string
  icon?: IconName
  bad?: boolean
  run: () => void
}
export function Menu({ label, icon = 'more', text, items }: { label: string; icon?: IconName; text?: string; items: (MenuItem | null | false)[] }) {
  return (
    <RadixMenu.Root modal={false}>
      <RadixMenu.Trigger asChild>
        <Button tone={text ? '' : 'bare'} icon={icon} aria-label={label} title={label}>
          {text}
        </Button>
      </RadixMenu.Trigger>
      <RadixMenu.Portal>
        <RadixMenu.Content className="menu" align="end" sideOffset={4}>
          {items.map(
            (item) =>
              item && (
                <RadixMenu.Item key={item.label} data-bad={item.bad || undefined} onSelect={item.run}>
                  {item.icon && <Icon name={item.icon} />}
                  {item.label}
                </RadixMenu.Item>
              ),
          )}
        </RadixMenu.Content>
      </RadixMenu.Portal>
    </RadixMenu.Root>
  )
}

// ---- Long lists: only the rows in sight exist.

export function VirtualList<T>({ items, height, label, onEnd, children }: { items: T[]; height: number; label: string; onEnd?: () => void; children: (item: T, index: number) => ReactNode }) {
  const box = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({ count: items.length, getScrollElement: () => box.current, estimateSize: () => height, overscan: 12 })
  const shown = rows.getVirtualItems()
  const last = shown[shown.length - 1]
  if (onEnd && last && last.index >= items.length - 20) queueMicrotask(onEnd)
  return (
    <div ref={box} className="vlist msgs" role="list" aria-label={label} tabIndex={0}>
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {shown.map((row) => (
          <div key={row.key} role="listitem" className="vrow" style={{ height, transform: `translateY(${row.start}px)` }}>
            {children(items[row.index]!, row.index)}
          </div>
        ))}
      </div>
    </div>
  )
}

// ---- Short words at the edge of the page.

interface ToastRow {
  id: number
  text: string
  bad: boolean
}
let toasts: ToastRow[] = []
const toastListeners = new Set<() => void>()
let nextToast = 1
function setToasts(rows: ToastRow[]) {
  toasts = rows
  for (const listener of toastListeners) listener()
}
export function toast(text: string, bad = false) {
  const id = nextToast++
  setToasts([...toasts, { id, text, bad }])
  setTimeout(() => setToasts(toasts.filter((row) => row.id !== id)), bad ? 8000 : 3500)
}
export const toastProblem = (problem: unknown) => toast(errorText(problem), true)

export function Toasts() {
  const rows = useSyncExternalStore(
    (listener) => {
      toastListeners.add(listener)
      return () => toastListeners.delete(listener)
    },
    () => toasts,
  )
  return (
    <div className="toasts" role="status" aria-live="polite">
      {rows.map((row) => (
        <div key={row.id} className={`toast ${row.bad ? 'bad' : ''}`}>
          {row.text}
        </div>
      ))}
    </div>
  )
}
