import { useEffect, useRef, useState } from 'react'
import { reachability } from './reachability'

// Server-sent events of one kind. The browser comes back by itself after a break; a server that refuses to answer
// is waited for.
export function useLive<T>(url: string | null, event: string, receive: (data: T) => void): boolean {
  const [open, setOpen] = useState(false)
  const receiver = useRef(receive)
  receiver.current = receive
  useEffect(() => {
    if (!url) return
    let source: EventSource | null = null
    let timer: ReturnType<typeof setTimeout> | undefined
    const connect = () => {
      source = new EventSource(url)
      source.onopen = () => setOpen(true)
      source.addEventListener(event, (message) => receiver.current(JSON.parse((message as MessageEvent<string>).data) as T))
      source.onerror = () => {
        setOpen(false)
        reachabilityCheck()
        if (source?.readyState === EventSource.CLOSED) timer = setTimeout(connect, 1500)
      }
    }
    connect()
    return () => {
      source?.close()
      clearTimeout(timer)
      setOpen(false)
    }
  }, [url, event])
  return open
}

// An event stream that breaks may only be a stream that ended: a request tells.
function reachabilityCheck() {
  fetch('/api/v1/session', { cache: 'no-store' }).catch(() => reachability.lost())
}
