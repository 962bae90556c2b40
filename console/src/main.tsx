import '@fontsource-variable/inter/wght.css'
import '@fontsource-variable/jetbrains-mono/wght.css'
import './styles.css'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { setNonce } from 'get-nonce'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Away, Problem } from './api/client'
import { reachability } from './api/reachability'
import { makeRouter } from './router'
import { applyTheme } from './lib/theme'

// Libraries that add style sheets at run time show this to the page's policy.
const nonce = document.querySelector<HTMLMetaElement>('meta[name=aichemy-nonce]')?.content
if (nonce) setNonce(nonce)
applyTheme()

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      refetchOnWindowFocus: true,
      // What the server said no to is not asked again; a server that is away is waited for elsewhere.
      retry: (times, problem) => !(problem instanceof Problem) && !(problem instanceof Away) && times < 2,
    },
  },
})
reachability.onBack(() => void client.invalidateQueries())

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={makeRouter()} />
    </QueryClientProvider>
  </StrictMode>,
)
