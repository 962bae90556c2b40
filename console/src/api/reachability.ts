// Whether the platform answers. Once it does not, asks each second until it does; then everybody who listens
// fetches again.
type Listener = () => void

class Reachability {
  away = false
  private listeners = new Set<Listener>()
  private backListeners = new Set<Listener>()

  subscribe = (listener: Listener) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
  snapshot = () => this.away
  onBack(listener: Listener) {
    this.backListeners.add(listener)
  }

  lost() {
    if (this.away) return
    this.away = true
    this.tell()
    void this.wait()
  }

  private async wait() {
    while (this.away) {
      await new Promise((resolve) => setTimeout(resolve, 1000))
      try {
        // Through the API's own path, so that a proxy in between counts too; 401 is an answer as well.
        const response = await fetch('/api/v1/session', { cache: 'no-store' })
        if (response.status < 500) {
          this.away = false
          this.tell()
          for (const listener of this.backListeners) listener()
        }
      } catch {
        // still away
      }
    }
  }

  private tell() {
    for (const listener of this.listeners) listener()
  }
}

export const reachability = new Reachability()
