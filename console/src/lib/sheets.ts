// The sheets of the SQL page, kept in the browser.
export interface Sheet {
  id: string
  name: string
  text: string
  saved?: { id: string; version: number } // the kept statement it was opened from
}
const key = 'aichemy.sheets'
const activeKey = 'aichemy.sheet'

export function loadSheets(): { sheets: Sheet[]; active: string } {
  let sheets: Sheet[] = []
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? '[]') as Sheet[]
    if (Array.isArray(kept)) sheets = kept.filter((one) => typeof one.id === 'string' && typeof one.text === 'string')
  } catch {
    // what is not readable is not there
  }
  if (sheets.length === 0) sheets = [newSheet(sheets)]
  const active = localStorage.getItem(activeKey) ?? ''
  return { sheets, active: sheets.some((one) => one.id === active) ? active : sheets[0]!.id }
}

export function saveSheets(sheets: Sheet[], active: string) {
  localStorage.setItem(key, JSON.stringify(sheets))
  localStorage.setItem(activeKey, active)
}

export function newSheet(others: Sheet[], text = ''): Sheet {
  let number = others.length + 1
  while (others.some((one) => one.name === `Sheet ${number}`)) number++
  return { id: `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 6)}`, name: `Sheet ${number}`, text }
}
