const kKey = 'aichemy.theme'
export type Theme = 'light' | 'dark'

export function theme(): Theme {
  const kept = localStorage.getItem(kKey)
  if (kept === 'light' || kept === 'dark') return kept
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
}

export function applyTheme() {
  document.documentElement.dataset.theme = theme()
}

export function toggleTheme() {
  localStorage.setItem(kKey, theme() === 'dark' ? 'light' : 'dark')
  applyTheme()
}
