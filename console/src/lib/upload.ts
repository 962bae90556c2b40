// A file on its way into a bucket: whole when small, else in parts, three at a time. Parts that arrived are remembered,
// so that the same file dropped again goes on where it stopped.
import { address, call, send } from '../api/client'
import type { Part } from '../api/types'

const partBytes = 16 << 20
const parallel = 3
const attempts = 4

export const placeOf = (bucket: string, key: string, file: { size: number; lastModified: number }) => `aichemy.upload ${bucket} ${key} ${file.size} ${file.lastModified}`

export function partsOf(size: number): { number: number; from: number; to: number }[] {
  // At most 10,000 parts.
  const bytes = Math.max(partBytes, Math.ceil(size / 10_000))
  return Array.from({ length: Math.ceil(size / bytes) }, (_, i) => ({ number: i + 1, from: i * bytes, to: Math.min(size, (i + 1) * bytes) }))
}

export async function upload(bucket: string, key: string, file: File, progress: (done: number) => void): Promise<void> {
  const type = file.type || 'application/octet-stream'
  if (file.size <= partBytes) {
    await send('PUT', address('uploadObject', { bucket }, { key }), { body: file, headers: { 'Content-Type': type } })
    progress(file.size)
    return
  }
  const place = placeOf(bucket, key, file)
  let id = localStorage.getItem(place)
  let have: Part[] = []
  if (id) {
    try {
      have = (await call('listParts', { path: { bucket, upload: id }, query: { key } })).parts
    } catch {
      id = null // it is gone: from the start
    }
  }
  if (!id) {
    id = (await call('startUpload', { path: { bucket }, query: { key, content_type: type } })).upload_id
    localStorage.setItem(place, id)
  }
  const uploadId = id
  const parts = partsOf(file.size)
  const done = new Map(have.filter((part) => parts[part.number - 1] && part.size === parts[part.number - 1]!.to - parts[part.number - 1]!.from).map((part) => [part.number, part]))
  const tell = () => progress([...done.values()].reduce((sum, part) => sum + part.size, 0))
  tell()
  const left = parts.filter((part) => !done.has(part.number))
  const worker = async () => {
    for (let part = left.shift(); part; part = left.shift()) {
      for (let attempt = 1; ; attempt++) {
        try {
          const url = address('uploadPart', { bucket, upload: uploadId, number: part.number }, { key })
          const response = await send('PUT', url, { body: file.slice(part.from, part.to), headers: { 'Content-Type': 'application/octet-stream' } })
          done.set(part.number, (await response.json()) as Part)
          tell()
          break
        } catch (problem) {
          if (attempt >= attempts) throw problem
          await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt))
        }
      }
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  await call('finishUpload', { path: { bucket, upload: uploadId }, query: { key }, body: { parts: [...done.values()].sort((a, b) => a.number - b.number) } })
  localStorage.removeItem(place)
}
