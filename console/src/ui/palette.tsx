// Ctrl-K: every page, topic, table, bucket and job by a few letters of its name.
import * as RadixDialog from '@radix-ui/react-dialog'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { call } from '../api/client'
import { useSession } from '../lib/session'
import { rank } from '../lib/rank'
import { Icon, type IconName } from './icons'
import { places } from './places'

interface Target {
  label: string
  hint: string
  icon: IconName
  to: string
}

// A list comes in pieces of a thousand.
async function allTopics() {
  const out = await call('listTopics', { query: { limit: 1000 } })
  while (out.topics.length < out.total) {
    const more = await call('listTopics', { query: { limit: 1000, offset: out.topics.length } })
    if (more.topics.length === 0) break
    out.topics.push(...more.topics)
  }
  return out
}

async function everything(withJobs: boolean): Promise<Target[]> {
  const [topics, schemas, buckets, jobs] = await Promise.all([
    allTopics(),
    call('listSchemas'),
    call('listBuckets'),
    withJobs ? call('listJobs') : { jobs: [] },
  ])
  const out: Target[] = []
  for (const topic of topics.topics) out.push({ label: topic.name, hint: 'topic', icon: 'events', to: `/events/topics/${encodeURIComponent(topic.name)}` })
  for (const bucket of buckets.buckets) out.push({ label: bucket.name, hint: 'bucket', icon: 'objects', to: `/objects/${encodeURIComponent(bucket.name)}` })
  for (const job of jobs.jobs) out.push({ label: job.name, hint: 'job', icon: 'jobs', to: `/jobs/${job.id}` })
  const lists = await Promise.all(
    schemas.schemas.slice(0, 50).map(async (schema) => ({
      schema,
      list: await call('listRelations', { path: { catalog: schema.catalog, schema: schema.name } }),
    })),
  )
  for (const { schema, list } of lists) {
    for (const one of list.relations) {
      const path = [schema.catalog, schema.name, one.name].map(encodeURIComponent).join('/')
      out.push({ label: `${schema.name}.${one.name}`, hint: one.kind, icon: 'table', to: `/catalog/${path}` })
    }
  }
  return out
}

export function Palette({ onClose }: { onClose: () => void }) {
  const session = useSession()
  const navigate = useNavigate()
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const found = useQuery({ queryKey: ['palette'], queryFn: () => everything(session.jobs), staleTime: 15_000 })
  const shown = useMemo(() => {
    const pages: Target[] = [
      ...places.filter((place) => !place.needs || session[place.needs]).map((place) => ({ label: place.label, hint: 'page', icon: place.icon, to: place.to })),
      { label: 'Consumer groups', hint: 'page', icon: 'events', to: '/events/groups' },
      { label: 'Metrics', hint: 'page', icon: 'chart', to: '/admin?tab=metrics' },
    ]
    return rank(text, [...pages, ...(found.data ?? [])], (one) => one.label).slice(0, 40)
  }, [text, found.data, session])
  const go = (target: Target | undefined) => {
    if (!target) return
    onClose()
    void navigate({ href: target.to })
  }
  return (
    <RadixDialog.Root open onOpenChange={(open) => !open && onClose()}>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className="overlay" />
        <RadixDialog.Content className="dialog palette" aria-describedby={undefined}>
          <RadixDialog.Title className="visually-hidden">Find anything</RadixDialog.Title>
          <input
            autoFocus
            role="combobox"
            aria-expanded="true"
            aria-controls="palette-list"
            aria-activedescendant={shown[at] ? `palette-${at}` : undefined}
            aria-label="Find a page, topic, table, bucket or job"
            placeholder="Find a page, topic, table, bucket or job"
            value={text}
            onChange={(event) => {
              setText(event.target.value)
              setAt(0)
            }}
            onKeyDown={(event) => {
              if (event.key === 'ArrowDown') setAt((i) => Math.min(i + 1, shown.length - 1))
              else if (event.key === 'ArrowUp') setAt((i) => Math.max(i - 1, 0))
              else if (event.key === 'Enter') go(shown[at])
              else return
              event.preventDefault()
            }}
          />
          <ul id="palette-list" role="listbox" aria-label="Found">
            {shown.map((target, i) => (
              <li
                key={target.to + target.label}
                id={`palette-${i}`}
                role="option"
                aria-selected={i === at}
                ref={(row) => {
                  if (i === at) row?.scrollIntoView({ block: 'nearest' })
                }}
                onMouseMove={() => setAt(i)}
                onClick={() => go(target)}
              >
                <Icon name={target.icon} />
                <span className="truncate">{target.label}</span>
                <span className="hint">{target.hint}</span>
              </li>
            ))}
            {shown.length === 0 && <li aria-selected="false" role="option">Nothing has that name.</li>}
          </ul>
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  )
}
