// The pages, as the navigation and the palette name them.
import type { Session } from '../api/types'
import type { IconName } from './icons'

export const places: { to: string; label: string; icon: IconName; role?: string; needs?: keyof Session }[] = [
  { to: '/overview', label: 'Overview', icon: 'overview' },
  { to: '/sql', label: 'SQL', icon: 'sql' },
  { to: '/queries', label: 'Queries', icon: 'history' },
  { to: '/catalog', label: 'Catalog', icon: 'catalog' },
  { to: '/objects', label: 'Objects', icon: 'objects' },
  { to: '/events', label: 'Events', icon: 'events' },
  { to: '/jobs', label: 'Jobs', icon: 'jobs', needs: 'jobs' },
  { to: '/admin', label: 'Admin', icon: 'admin' },
]
