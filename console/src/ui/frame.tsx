// What is around every page: navigation, the sign-in, the word that the platform is away.
import { useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useRouterState } from '@tanstack/react-router'
import { useEffect, useState, useSyncExternalStore, type FormEvent } from 'react'
import { Away, call, onSignedOut } from '../api/client'
import { reachability } from '../api/reachability'
import type { Session } from '../api/types'
import { SessionContext, useSessionQuery } from '../lib/session'
import { theme, toggleTheme } from '../lib/theme'
import { Icon } from './icons'
import { Palette } from './palette'
import { Button, ProblemNote, Toasts } from './parts'
import { places } from './places'

function Brand() {
  return (
    <>
      <img src="/icon.svg" alt="" />
      <span>AIchemy</span>
    </>
  )
}

function SignIn() {
  const client = useQueryClient()
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    setBusy(true)
    setProblem(null)
    try {
      await call('signIn', { body: { user: String(form.get('user')), password: String(form.get('password')) } })
      await client.resetQueries()
    } catch (error) {
      setProblem(error)
    }
    setBusy(false)
  }
  return (
    <main className="signin">
      <form onSubmit={(event) => void submit(event)}>
        <h1 className="brand">
          <Brand />
        </h1>
        <label className="field">
          <span>User</span>
          <input className="input" name="user" autoComplete="username" autoFocus required />
        </label>
        <label className="field">
          <span>Password</span>
          <input className="input" name="password" type="password" autoComplete="current-password" required />
        </label>
        <ProblemNote problem={problem} />
        <button className="button primary" disabled={busy}>
          {busy && <i className="spin" />}
          Sign in
        </button>
      </form>
    </main>
  )
}

function Side({ session, openPalette }: { session: Session; openPalette: () => void }) {
  const client = useQueryClient()
  const [shown, setShown] = useState(theme())
  const signOut = async () => {
    await call('signOut').catch(() => undefined)
    await client.resetQueries()
  }
  return (
    <header className="side">
      <Link to="/overview" className="brand" aria-label="AIchemy, overview">
        <Brand />
      </Link>
      <button type="button" className="find" onClick={openPalette} title="Find anything">
        <Icon name="search" />
        <span className="grow" style={{ textAlign: 'left' }}>Find</span>
        <kbd>Ctrl K</kbd>
      </button>
      <nav aria-label="Pages">
        {places.map(
          (place) =>
            (!place.needs || session[place.needs]) && (
              <Link key={place.to} to={place.to} aria-label={place.label}>
                <Icon name={place.icon} />
                <span>{place.label}</span>
              </Link>
            ),
        )}
      </nav>
      <div className="foot">
        <div className="row">
          <Button
            tone="bare"
            icon={shown === 'dark' ? 'sun' : 'moon'}
            aria-label={shown === 'dark' ? 'Light colours' : 'Dark colours'}
            title={shown === 'dark' ? 'Light colours' : 'Dark colours'}
            onClick={() => {
              toggleTheme()
              setShown(theme())
            }}
          />
          <span className="who grow truncate muted" title={`${session.user} (${session.role}), version ${session.version}`}>
            {session.user} · {session.role}
          </span>
          <Button tone="bare" icon="out" aria-label="Sign out" title="Sign out" onClick={() => void signOut()} />
        </div>
      </div>
    </header>
  )
}

export function Frame() {
  const session = useSessionQuery()
  const client = useQueryClient()
  const away = useSyncExternalStore(reachability.subscribe, reachability.snapshot)
  const [palette, setPalette] = useState(false)
  const path = useRouterState({ select: (state) => state.location.pathname })
  useEffect(() => {
    const place = places.find((one) => path.startsWith(one.to))
    document.title = place ? `${place.label} · AIchemy` : 'AIchemy'
  }, [path])
  useEffect(() => onSignedOut(() => void client.invalidateQueries({ queryKey: ['session'] })), [client])
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        setPalette((open) => !open)
      }
    }
    window.addEventListener('keydown', key)
    return () => window.removeEventListener('keydown', key)
  }, [])

  const signedIn = session.data && !(session.error && !(session.error instanceof Away))
  if (!signedIn) {
    if (session.isPending && !away) return null
    return (
      <>
        {away && <AwayNote />}
        {!away && <SignIn />}
      </>
    )
  }
  return (
    <SessionContext.Provider value={session.data}>
      <div className="frame">
        <Side session={session.data} openPalette={() => setPalette(true)} />
        <main className="main">
          {away && <AwayNote />}
          <Outlet />
        </main>
      </div>
      {palette && <Palette onClose={() => setPalette(false)} />}
      <Toasts />
    </SessionContext.Provider>
  )
}

function AwayNote() {
  return (
    <div className="away" role="status" data-testid="away">
      <i className="spin" />
      The platform does not answer. This page goes on by itself when it is back.
    </div>
  )
}
