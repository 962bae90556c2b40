import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router'
import { Empty } from './ui/parts'
import { Frame } from './ui/frame'

type Search = Record<string, string | undefined>
// Every page keeps its state in its address; an unknown key is left out, and everything is text.
const keys =
  (...names: string[]) =>
  (search: Record<string, unknown>): Search =>
    Object.fromEntries(names.filter((name) => search[name] !== undefined && search[name] !== '').map((name) => [name, String(search[name])]))

const root = createRootRoute({ component: Frame, notFoundComponent: () => <div className="page"><Empty icon="search" title="There is no such page">The address leads nowhere. The navigation leads back.</Empty></div> })
const home = document.querySelector<HTMLMetaElement>('meta[name=aichemy-home]')?.content ?? '/overview'

const page = <P extends string>(path: P, load: () => Promise<Record<string, unknown>>, name: string, ...search: string[]) =>
  createRoute({
    getParentRoute: () => root,
    path,
    component: lazyRouteComponent(load as () => Promise<Record<string, never>>, name),
    validateSearch: keys(...search),
  })

const overview = () => import('./pages/overview')
const sql = () => import('./pages/sql')
const queries = () => import('./pages/queries')
const events = () => import('./pages/events')
const topic = () => import('./pages/topic')
const groups = () => import('./pages/groups')
const catalog = () => import('./pages/catalog')
const objects = () => import('./pages/objects')
const jobs = () => import('./pages/jobs')
const newJob = () => import('./pages/job_new')
const admin = () => import('./pages/admin')

const tree = root.addChildren([
  createRoute({
    getParentRoute: () => root,
    path: '/',
    beforeLoad: () => {
      throw redirect({ to: home.startsWith('/') ? home : '/overview' })
    },
  }),
  page('/overview', overview, 'OverviewPage'),
  page('/sql', sql, 'SqlPage', 'sql', 'run'),
  page('/queries', queries, 'QueriesPage'),
  page('/queries/$query', queries, 'QueryPage'),
  page('/catalog', catalog, 'CatalogPage', 'q'),
  page('/catalog/$catalog/$schema/$table', catalog, 'TablePage', 'tab'),
  page('/objects', objects, 'BucketsPage'),
  page('/objects/$bucket', objects, 'BucketPage', 'prefix', 'key', 'q'),
  page('/events', events, 'TopicsPage', 'q', 'internal'),
  page('/events/topics/$topic', topic, 'TopicPage', 'tab', 'from', 'value', 'partition', 'search', 'in'),
  page('/events/groups', groups, 'GroupsPage'),
  page('/events/groups/$group', groups, 'GroupPage'),
  page('/events/brokers', groups, 'BrokersPage'),
  page('/jobs', jobs, 'JobsPage'),
  page('/jobs/new', newJob, 'NewJobPage', 'topic'),
  page('/jobs/$job', jobs, 'JobPage'),
  page('/admin', admin, 'AdminPage', 'tab', 'q', 'level'),
])

export function makeRouter() {
  return createRouter({
    routeTree: tree,
    defaultPreload: 'intent',
    scrollRestoration: true,
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: (search) => {
      const text = new URLSearchParams(
        Object.entries(search as Search).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
      ).toString()
      return text ? `?${text}` : ''
    },
    defaultErrorComponent: ({ error }) => <div className="page"><Empty icon="warn" title="This page broke">{error.message}</Empty></div>,
  })
}
declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>
  }
}
