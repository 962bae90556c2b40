import { Link } from '@tanstack/react-router'
import { Fragment, type ReactNode } from 'react'

export function Page({ children, tight }: { children: ReactNode; tight?: boolean }) {
  return <div className={`page ${tight ? 'tight' : ''}`}>{children}</div>
}

export function Head({ title, crumbs = [], badge, children }: { title: string; crumbs?: { label: string; to: string }[]; badge?: ReactNode; children?: ReactNode }) {
  return (
    <div className="head">
      <div className="crumbs grow">
        {crumbs.map((crumb) => (
          <Fragment key={crumb.to}>
            <Link to={crumb.to}>{crumb.label}</Link>
            <span className="sep">/</span>
          </Fragment>
        ))}
        <h1 className="truncate" title={title}>
          {title}
        </h1>
        {badge}
      </div>
      {children}
    </div>
  )
}

export function Tile({ label, value, note }: { label: string; value: ReactNode; note?: ReactNode }) {
  return (
    <div className="tile">
      <span className="label">{label}</span>
      <span className="value truncate">{value}</span>
      {note !== undefined && <span className="note truncate">{note}</span>}
    </div>
  )
}
