import { useQuery } from '@tanstack/react-query'
import { createContext, useContext } from 'react'
import { call, setCsrf } from '../api/client'
import type { Session } from '../api/types'

export function useSessionQuery() {
  return useQuery({
    queryKey: ['session'],
    queryFn: async () => {
      const session = await call('getSession')
      setCsrf(session.csrf)
      return session
    },
    staleTime: 60_000,
  })
}

export const SessionContext = createContext<Session | null>(null)
export function useSession(): Session {
  const session = useContext(SessionContext)
  if (!session) throw new Error('outside of a session')
  return session
}
const order = ['viewer', 'operator', 'admin']
export function useMay(role: 'operator' | 'admin'): boolean {
  return order.indexOf(useSession().role) >= order.indexOf(role)
}
